-- The three best runs of every experiment by one metric.
-- sqlprovider query -f leaderboard.sql -p metric=val_acc
SELECT experiment, place, run_name, value, learning_rate
FROM (SELECT e.name AS experiment, r.run_name, r.metrics ->> :metric AS value, r.params ->> 'lr' AS learning_rate,
             rank() OVER (PARTITION BY e.experiment_id ORDER BY r.metrics ->> :metric DESC) AS place
      FROM mlflow.tracking.experiments AS e JOIN mlflow.tracking.runs AS r USING (experiment_id)
      WHERE r.status = 'FINISHED' AND r.metrics ->> :metric IS NOT NULL)
WHERE place <= 3
ORDER BY experiment, place;
