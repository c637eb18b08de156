-- End what nobody ended, delete what failed and nobody wants to keep; :experiment is an experiment's id.
-- Look first: sqlprovider query --dry-run -f tidy_up.sql -p experiment=1
UPDATE mlflow.tracking.runs SET status = 'KILLED', end_time = datetime('now')
WHERE experiment_id = :experiment AND status = 'RUNNING' AND start_time < datetime('now', '-1 day')
RETURNING run_id, run_name, status;

DELETE FROM mlflow.tracking.runs
WHERE experiment_id = :experiment AND status = 'FAILED' AND tags ->> 'keep' IS NULL
RETURNING run_id, run_name;
