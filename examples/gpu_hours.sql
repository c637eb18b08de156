-- GPU hours and money by team: runs joined with a price list of your own.
-- sqlprovider query -f gpu_hours.sql -p since='-30 days'
CREATE TEMP TABLE price (gpu TEXT PRIMARY KEY, usd_per_hour REAL);
INSERT INTO price VALUES ('l4', 0.71), ('a100', 3.67), ('h100', 9.80);

CREATE TEMP VIEW ended AS
SELECT start_time, tags ->> 'team' AS team, tags ->> 'gpu' AS gpu,
       (julianday(end_time) - julianday(start_time)) * 24 AS hours
FROM mlflow.tracking.runs
WHERE end_time IS NOT NULL;

SELECT team, gpu, count(*) AS runs, round(sum(hours), 1) AS hours, round(sum(hours * usd_per_hour), 2) AS usd
FROM ended JOIN price USING (gpu)
WHERE start_time > datetime('now', :since)
GROUP BY team, gpu ORDER BY usd DESC;
