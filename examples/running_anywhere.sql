-- What is running anywhere, who runs it and for how many hours: MLflow, Vertex AI, PAI-DLC and Oracle's AI Data Platform.
-- sqlprovider query -f running_anywhere.sql
SELECT cloud, name, who, round((julianday('now') - julianday(since)) * 24, 1) AS hours
FROM (
  SELECT 'mlflow' AS cloud, run_name AS name, user_id AS who, start_time AS since
  FROM mlflow.tracking.runs WHERE status = 'RUNNING'
  UNION ALL
  SELECT 'google', displayName, labels ->> 'owner', startTime
  FROM google.aiplatform.custom_jobs WHERE state = 'JOB_STATE_RUNNING'
  UNION ALL
  SELECT 'alibaba', DisplayName, Username, GmtRunningTime
  FROM alibaba.paidlc.jobs WHERE Status = 'Running'
  UNION ALL
  SELECT 'oci', jobName, createdByName, datetime(startTime / 1000, 'unixepoch')
  FROM oci.aidataplatform.job_runs WHERE state ->> 'status' = 'RUNNING')
ORDER BY hours DESC;
