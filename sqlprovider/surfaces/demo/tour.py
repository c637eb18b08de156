"""The statements of the tour, each answering a question that a team asks of its tracking server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the tour. `{word}` in the SQL is filled in, so that what is printed can be pasted."""

    title: str
    sql: str
    note: str = ""
    refused: bool = False
    """True where the point is the refusal."""
    remember: str | None = None
    """A column whose value in the first row fills `{column}` in the stops after this one."""


OVERVIEW = Stop(
    "Every experiment, and how its runs ended",
    """\
SELECT e.name, count(*) AS runs,
       sum(r.status = 'FINISHED') AS finished, sum(r.status IN ('FAILED', 'KILLED')) AS failed,
       sum(r.status = 'RUNNING') AS running
FROM mlflow.tracking.experiments AS e JOIN mlflow.tracking.runs AS r USING (experiment_id)
GROUP BY e.name ORDER BY runs DESC""",
    "Two resources of the API, joined by SQLite. Every page is read: the counts are the server's.",
)

BEST_RUNS = Stop(
    "The best run of each experiment",
    """\
SELECT experiment, run_name, lr, val_acc
FROM (SELECT e.name AS experiment, r.run_name, r.params->>'lr' AS lr, r.metrics->>'val_acc' AS val_acc,
             row_number() OVER (PARTITION BY e.experiment_id ORDER BY r.metrics->>'val_acc' DESC) AS place
      FROM mlflow.tracking.experiments AS e JOIN mlflow.tracking.runs AS r USING (experiment_id)
      WHERE r.status = 'FINISHED')
WHERE place = 1 ORDER BY val_acc DESC""",
)

UNFINISHED = Stop(
    "What is unfinished, and for how long",
    """\
SELECT run_name, tags->>'mlflow.user' AS who, tags->>'gpu' AS gpu,
       round((julianday('now') - julianday(start_time)) * 24, 1) AS hours
FROM mlflow.tracking.runs WHERE status = 'RUNNING' ORDER BY hours DESC LIMIT 8""",
    "No experiment is given: they are found by listing them, concurrently. `status` goes to the server.",
)

LEARNING_RATE = Stop(
    "Which learning rate won",
    """\
SELECT params->>'lr' AS lr, count(*) AS runs, round(avg(metrics->>'val_acc'), 4) AS mean,
       round(max(metrics->>'val_acc'), 4) AS best
FROM mlflow.tracking.runs
WHERE experiment_id = {sentiment} AND status = 'FINISHED'
GROUP BY 1 ORDER BY mean DESC""",
)

LEARNING_CURVE = Stop(
    "The learning curve of its best run, drawn by SQL",
    """\
SELECT step, value AS val_acc,
       substr('████████████████████████████████', 1, CAST(value * 32 AS INTEGER)) AS curve
FROM mlflow.tracking.metric_history
WHERE metric_key = 'val_acc' AND run_id = (
    SELECT run_id FROM mlflow.tracking.runs
    WHERE experiment_id = {sentiment} AND status = 'FINISHED' ORDER BY metrics->>'val_acc' DESC LIMIT 1)
ORDER BY step""",
)

DIVERGED = Stop(
    "Where the loss became NaN",
    """\
SELECT r.run_name, r.params->>'optimizer' AS optimizer, r.params->>'lr' AS lr, min(h.step) AS first_nan
FROM mlflow.tracking.runs AS r JOIN mlflow.tracking.metric_history AS h USING (run_id)
WHERE r.experiment_id = {image} AND r.status = 'FAILED' AND h.metric_key = 'val_loss' AND h.value_text = 'NaN'
GROUP BY r.run_id ORDER BY r.run_name""",
    "NaN is NULL in `value`, so that avg and max stay right; `value_text` says what it was.",
)

LOCAL_JOIN = Stop(
    "What it cost: a join with a table of your own",
    """\
CREATE TABLE price (gpu TEXT PRIMARY KEY, usd_per_hour REAL);
INSERT INTO price VALUES ('l4', 0.71), ('a100', 3.67), ('h100', 9.80);
SELECT r.tags->>'team' AS team, p.gpu, count(*) AS runs,
       round(sum((julianday(r.end_time) - julianday(r.start_time)) * 24 * p.usd_per_hour)) AS usd
FROM mlflow.tracking.runs AS r JOIN price AS p ON p.gpu = r.tags->>'gpu'
WHERE r.start_time > datetime('now', '-14 days')
GROUP BY 1, 2 ORDER BY usd DESC""",
)

OR_AND_DURATION = Stop(
    "What the server's own search cannot say: OR, arithmetic, durations",
    """\
SELECT run_name, status, round((julianday(end_time) - julianday(start_time)) * 24, 1) AS hours,
       metrics->>'val_acc' AS val_acc
FROM mlflow.tracking.runs
WHERE experiment_id IN ({churn}, {image})
  AND (metrics->>'val_acc' > 0.93 OR status = 'KILLED')
  AND julianday(end_time) - julianday(start_time) < 2.0 / 24
ORDER BY val_acc DESC""",
)

PLAN = Stop(
    "What a statement would send, before it is sent",
    """\
EXPLAIN SELECT run_name FROM mlflow.tracking.runs
WHERE experiment_id = {image} AND status = 'FINISHED' AND metrics->>'val_acc' > 0.9
ORDER BY start_time DESC""",
    "No request was made. `pushed` is what the server filters; `rechecked` is what SQLite checks again.",
)

REFUSED = Stop(
    "A statement that is refused, and the way out",
    """\
DELETE FROM mlflow.tracking.runs WHERE status = 'FAILED'""",
    "Rows to change are never looked for across a whole server. Nothing was sent.",
    refused=True,
)

INSERT_RUN = Stop(
    "INSERT: a run from SQL",
    """\
INSERT INTO mlflow.tracking.runs (experiment_id, run_name, tags)
VALUES ({sentiment}, 'logged from SQL', '{"team": "growth", "gpu": "l4"}')
RETURNING run_id, run_name, status, start_time""",
    remember="run_id",
)

EXEC_LOG = Stop(
    "EXEC: any other method of the API",
    """\
EXEC mlflow.tracking.runs.log_batch @run_id = {run_id}
  @@json = '{"params": [{"key": "lr", "value": "0.001"}],
             "metrics": [{"key": "val_acc", "value": 0.91, "step": 0, "timestamp": 1767225600000}]}';
SELECT run_name, metrics, params FROM mlflow.tracking.runs WHERE run_id = {run_id}""",
)

UPDATE_TAGS = Stop(
    "UPDATE: tag the three best, and only them",
    """\
UPDATE mlflow.tracking.runs SET tags = json_set(tags, '$.shortlist', 'yes')
WHERE experiment_id = {sentiment} AND run_id IN (
    SELECT run_id FROM mlflow.tracking.runs
    WHERE experiment_id = {sentiment} AND status = 'FINISHED' ORDER BY metrics->>'val_acc' DESC LIMIT 3)
RETURNING run_name, tags->>'shortlist' AS shortlist, metrics->>'val_acc' AS val_acc""",
    "The matching rows are read first. Of the tags, the one that differs is sent.",
)

CLOSE_STUCK = Stop(
    "UPDATE: end what nobody ended",
    """\
UPDATE mlflow.tracking.runs SET status = 'KILLED', end_time = datetime('now')
WHERE experiment_id IN ({churn}, {sentiment}, {image}) AND status = 'RUNNING'
  AND start_time < datetime('now', '-6 hours')
RETURNING run_name, status, end_time""",
)

DELETE_FAILED = Stop(
    "DELETE: what failed or never learned",
    """\
DELETE FROM mlflow.tracking.runs
WHERE experiment_id = {scratchpad} AND status != 'RUNNING'
  AND (status = 'FAILED' OR metrics->>'val_acc' < 0.55)
RETURNING run_name, status, metrics->>'val_acc' AS val_acc""",
)

WHAT_WAS_SENT = Stop(
    "What became of each row of the last write",
    """\
SELECT sequence, resource, method, key, state, http_status FROM sqlprovider.last_write""",
)

REGISTER = Stop(
    "The model registry is there too",
    """\
INSERT INTO mlflow.registry.registered_models (name, description)
VALUES ('sentiment', 'BERT, fine-tuned'), ('churn', 'gradient boosting');
SELECT name, description, creation_timestamp FROM mlflow.registry.registered_models ORDER BY name""",
)

STOPS = (
    OVERVIEW,
    BEST_RUNS,
    UNFINISHED,
    LEARNING_RATE,
    LEARNING_CURVE,
    DIVERGED,
    LOCAL_JOIN,
    OR_AND_DURATION,
    PLAN,
    REFUSED,
    INSERT_RUN,
    EXEC_LOG,
    UPDATE_TAGS,
    CLOSE_STUCK,
    DELETE_FAILED,
    WHAT_WAS_SENT,
    REGISTER,
)
