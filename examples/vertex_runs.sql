-- The runs of a Vertex AI TensorBoard, with their experiments; project and location come from sqlprovider.toml.
-- sqlprovider query -f vertex_runs.sql -p tensorboard=1234567890
SELECT e.displayName AS experiment, r.displayName AS run, r.createTime, r.labels
FROM google.aiplatform.experiments AS e
JOIN google.aiplatform.runs AS r USING (projectsId, locationsId, tensorboardsId, experimentsId)
WHERE e.tensorboardsId = :tensorboard
ORDER BY experiment, run;
