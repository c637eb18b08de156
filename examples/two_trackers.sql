-- The runs of MLflow beside those of a Vertex AI TensorBoard, by experiment and name: what one of them lacks.
-- sqlprovider query -f two_trackers.sql -p tensorboard=1234567890
SELECT coalesce(m.experiment, v.experiment) AS experiment, coalesce(m.run, v.run) AS run,
       CASE WHEN v.run IS NULL THEN 'only in MLflow' WHEN m.run IS NULL THEN 'only in Vertex AI' ELSE 'in both' END AS found
FROM (SELECT e.name AS experiment, r.run_name AS run
      FROM mlflow.tracking.experiments AS e JOIN mlflow.tracking.runs AS r USING (experiment_id)) AS m
FULL JOIN (SELECT e.displayName AS experiment, r.displayName AS run
           FROM google.aiplatform.experiments AS e
           JOIN google.aiplatform.runs AS r USING (projectsId, locationsId, tensorboardsId, experimentsId)
           WHERE e.tensorboardsId = :tensorboard) AS v
  ON v.experiment = m.experiment AND v.run = m.run
ORDER BY experiment, run;
