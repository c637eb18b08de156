"""The tables of the model: what a MLflow server keeps, and triggers that say what it does.

Everything here was observed on a server through its own client. RAISE names the error that the engine is
to make of the server's refusal. FAIL, as in `RAISE(FAIL, …)`, keeps the rows that were written before, as
a server does.

What is deleted moves to a table `dead_…`. A row of `runs` and its `params`, `tags` and `metrics` are two
views of one thing: whichever is written, a trigger writes the other. A trigger never runs inside itself.
"""

from __future__ import annotations

LIVE = {
    "experiments": "experiment_id, name, artifact_location, lifecycle_stage, tags",
    "runs": "run_id, experiment_id, run_name, user_id, status, start_time, end_time, lifecycle_stage, "
    "tags, params, metrics",
    "tags": "experiment_id, run_id, key, value",
    "params": "experiment_id, run_id, key, value",
    "metrics": "experiment_id, run_id, key, value, value_text, step, timestamp",
    "metric_history": "run_id, metric_key, value, value_text, step, timestamp",
}
"""The tables whose rows come back to life, and their columns that are compared or written."""

TABLES = """
CREATE TABLE experiments(
  experiment_id TEXT DEFAULT ('new ' || hex(randomblob(8))), name TEXT NOT NULL UNIQUE ON CONFLICT FAIL,
  artifact_location TEXT, lifecycle_stage TEXT DEFAULT 'active', tags TEXT DEFAULT '{}');
CREATE TABLE runs(
  run_id TEXT DEFAULT ('new ' || hex(randomblob(8))), experiment_id TEXT, run_name TEXT, user_id TEXT,
  status TEXT DEFAULT 'RUNNING', start_time TEXT, end_time TEXT, lifecycle_stage TEXT DEFAULT 'active',
  tags TEXT DEFAULT '{}', params TEXT DEFAULT '{}', metrics TEXT DEFAULT '{}');
CREATE TABLE tags(
  experiment_id TEXT, run_id TEXT, key TEXT, value TEXT, PRIMARY KEY(run_id, key) ON CONFLICT REPLACE);
CREATE TABLE params(
  experiment_id TEXT, run_id TEXT, key TEXT, value TEXT, PRIMARY KEY(run_id, key) ON CONFLICT REPLACE);
CREATE TABLE metrics(
  experiment_id TEXT, run_id TEXT, key TEXT, value REAL, value_text TEXT, step INTEGER DEFAULT 0,
  timestamp INTEGER, settled INTEGER);
CREATE TABLE metric_history(
  run_id TEXT, metric_key TEXT, value REAL, value_text TEXT, step INTEGER DEFAULT 0, timestamp INTEGER,
  settled INTEGER);
-- Every point once, as the store has it: NaN is 0 beside a flag, and counts as 0 where points are ranked.
CREATE TABLE points(
  run_id TEXT, key TEXT, timestamp INTEGER, step INTEGER, number REAL, is_nan INTEGER,
  UNIQUE(run_id, key, timestamp, step, number, is_nan) ON CONFLICT IGNORE);

CREATE TABLE registered_models(
  name TEXT PRIMARY KEY ON CONFLICT FAIL, description TEXT, tags TEXT DEFAULT '{}',
  numbered INTEGER DEFAULT 0);
CREATE TABLE model_versions(
  name TEXT, version TEXT, source TEXT, description TEXT, tags TEXT DEFAULT '{}', run_id TEXT);
CREATE TABLE aliases(name TEXT, alias TEXT, version TEXT, PRIMARY KEY(name, alias) ON CONFLICT REPLACE);
"""

EXPERIMENTS = """
CREATE TRIGGER experiment_is_new BEFORE INSERT ON experiments BEGIN
  SELECT RAISE(FAIL, 'IntegrityError') FROM dead_experiments WHERE name = NEW.name;
END;
CREATE TRIGGER experiment_made AFTER INSERT ON experiments BEGIN
  UPDATE experiments SET tags = as_map(NEW.tags) WHERE rowid = NEW.rowid;
END;
-- The code of this refusal is BAD_REQUEST, which says no more than that.
CREATE TRIGGER experiment_renamed BEFORE UPDATE OF name ON experiments WHEN NEW.name <> OLD.name BEGIN
  SELECT RAISE(FAIL, 'BackendError') FROM dead_experiments WHERE name = NEW.name;
  SELECT RAISE(FAIL, 'BackendError') FROM experiments WHERE name = NEW.name;
END;
CREATE TRIGGER experiment_tagged AFTER UPDATE OF tags ON experiments BEGIN
  UPDATE experiments SET tags = as_map(NEW.tags) WHERE rowid = NEW.rowid;
END;
CREATE TRIGGER experiment_deleted AFTER DELETE ON experiments BEGIN
  INSERT INTO dead_experiments
    VALUES (OLD.experiment_id, OLD.name, OLD.artifact_location, 'deleted', as_map(OLD.tags));
  DELETE FROM runs WHERE experiment_id = OLD.experiment_id;
END;
"""

RUNS = """
CREATE TRIGGER run_is_possible BEFORE INSERT ON runs BEGIN
  SELECT RAISE(FAIL, 'BackendError')
    WHERE NOT EXISTS (SELECT 1 FROM experiments WHERE experiment_id = NEW.experiment_id);
  SELECT RAISE(FAIL, 'BackendError') WHERE NEW.run_name <> as_map(NEW.tags)->>'mlflow.runName';
END;
CREATE TRIGGER run_made AFTER INSERT ON runs BEGIN
  INSERT INTO tags SELECT NEW.experiment_id, NEW.run_id, key, value FROM json_each(as_map(NEW.tags));
  INSERT INTO tags
    SELECT NEW.experiment_id, NEW.run_id, 'mlflow.runName', NEW.run_name WHERE NEW.run_name IS NOT NULL;
END;
CREATE TRIGGER run_set AFTER UPDATE OF run_name, tags ON runs BEGIN
  INSERT INTO tags
    SELECT NEW.experiment_id, NEW.run_id, 'mlflow.runName', NEW.run_name
    WHERE NEW.run_name IS NOT OLD.run_name;
  -- Of a map that is set, the keys that differ from the row as read go out, and those that are gone.
  DELETE FROM tags WHERE run_id = NEW.run_id AND key IN (SELECT key FROM json_each(as_map(OLD.tags)))
    AND key NOT IN (SELECT key FROM json_each(as_map(NEW.tags)));
  INSERT INTO tags
    SELECT NEW.experiment_id, NEW.run_id, new.key, new.value FROM json_each(as_map(NEW.tags)) AS new
    WHERE NOT EXISTS (SELECT 1 FROM json_each(as_map(OLD.tags)) AS old
                      WHERE old.key = new.key AND old.value = new.value);
END;
CREATE TRIGGER run_deleted AFTER DELETE ON runs BEGIN
  INSERT INTO dead_runs VALUES (OLD.run_id, OLD.experiment_id, OLD.run_name, OLD.user_id, OLD.status,
    OLD.start_time, OLD.end_time, 'deleted', OLD.tags, OLD.params, OLD.metrics);
{moves}END;
"""

LOGGED = """
CREATE TRIGGER {table}_of_a_live_run BEFORE INSERT ON {table} WHEN {own} BEGIN
  SELECT RAISE(FAIL, 'BackendError') WHERE NOT EXISTS (SELECT 1 FROM runs WHERE run_id = NEW.run_id);
END;
"""

TAGS = """
CREATE TRIGGER tag_made AFTER INSERT ON tags BEGIN
  UPDATE tags SET experiment_id = (SELECT experiment_id FROM runs WHERE run_id = NEW.run_id)
    WHERE rowid = NEW.rowid;
  UPDATE runs SET run_name = NEW.value WHERE NEW.key = 'mlflow.runName' AND run_id = NEW.run_id;
  UPDATE runs SET tags = (SELECT json_group_object(key, value) FROM tags WHERE run_id = NEW.run_id)
    WHERE run_id = NEW.run_id;
END;
CREATE TRIGGER tag_set AFTER UPDATE OF value ON tags BEGIN
  UPDATE runs SET run_name = NEW.value WHERE NEW.key = 'mlflow.runName' AND run_id = NEW.run_id;
  UPDATE runs SET tags = (SELECT json_group_object(key, value) FROM tags WHERE run_id = NEW.run_id)
    WHERE run_id = NEW.run_id;
END;
-- The run keeps the name that the tag `mlflow.runName` gave it.
CREATE TRIGGER tag_deleted AFTER DELETE ON tags BEGIN
  UPDATE runs SET tags = (SELECT json_group_object(key, value) FROM tags WHERE run_id = OLD.run_id)
    WHERE run_id = OLD.run_id;
END;
"""

PARAMS = """
CREATE TRIGGER param_is_as_it_was BEFORE INSERT ON params BEGIN
  SELECT RAISE(FAIL, 'BackendError') FROM params
    WHERE run_id = NEW.run_id AND key = NEW.key AND value <> NEW.value;
END;
CREATE TRIGGER param_made AFTER INSERT ON params BEGIN
  UPDATE params SET experiment_id = (SELECT experiment_id FROM runs WHERE run_id = NEW.run_id)
    WHERE rowid = NEW.rowid;
  UPDATE runs SET params = (SELECT json_group_object(key, value) FROM params WHERE run_id = NEW.run_id)
    WHERE run_id = NEW.run_id;
END;
CREATE TRIGGER param_stays BEFORE UPDATE OF value ON params WHEN NEW.value <> OLD.value BEGIN
  SELECT RAISE(FAIL, 'BackendError');
END;
"""

METRICS = """
CREATE TRIGGER {table}_logged AFTER INSERT ON {table} WHEN NEW.settled IS NULL BEGIN
  DELETE FROM {table} WHERE rowid = NEW.rowid;
  INSERT INTO points VALUES
    (NEW.run_id, NEW.{key}, NEW.timestamp, NEW.step, number(NEW.value), is_nan(NEW.value));
  DELETE FROM metric_history WHERE run_id = NEW.run_id AND metric_key = NEW.{key};
  INSERT INTO metric_history
    SELECT run_id, key, finite(number, is_nan), text_of(number, is_nan), step, timestamp, 1 FROM points
    WHERE run_id = NEW.run_id AND key = NEW.{key};
  DELETE FROM metrics WHERE run_id = NEW.run_id AND key = NEW.{key};
  -- The point with the highest step, then time, then number; of equal ones the first.
  INSERT INTO metrics
    SELECT (SELECT experiment_id FROM runs WHERE run_id = NEW.run_id), run_id, key,
      finite(number, is_nan), text_of(number, is_nan), step, timestamp, 1 FROM points
    WHERE run_id = NEW.run_id AND key = NEW.{key}
    ORDER BY step DESC, timestamp DESC, number DESC, rowid LIMIT 1;
  UPDATE runs SET metrics = (SELECT json_group_object(key, value) FROM metrics WHERE run_id = NEW.run_id)
    WHERE run_id = NEW.run_id;
END;
"""

REGISTRY = """
-- An empty description is none; a version without one has an empty one.
CREATE TRIGGER model_made AFTER INSERT ON registered_models BEGIN
  UPDATE registered_models SET tags = as_map(NEW.tags), description = nullif(NEW.description, '')
    WHERE name = NEW.name;
END;
CREATE TRIGGER model_set AFTER UPDATE OF tags, description ON registered_models BEGIN
  UPDATE registered_models SET tags = as_map(NEW.tags), description = nullif(NEW.description, '')
    WHERE name = NEW.name;
END;
CREATE TRIGGER model_deleted AFTER DELETE ON registered_models BEGIN
  DELETE FROM model_versions WHERE name = OLD.name;
  DELETE FROM aliases WHERE name = OLD.name;
END;
CREATE TRIGGER version_is_possible BEFORE INSERT ON model_versions BEGIN
  SELECT RAISE(FAIL, 'BackendError')
    WHERE NOT EXISTS (SELECT 1 FROM registered_models WHERE name = NEW.name);
END;
-- The number of a deleted version is not given again.
CREATE TRIGGER version_made AFTER INSERT ON model_versions BEGIN
  UPDATE registered_models SET numbered = numbered + 1 WHERE name = NEW.name;
  UPDATE model_versions SET tags = as_map(NEW.tags), description = coalesce(NEW.description, ''),
    version = (SELECT CAST(numbered AS TEXT) FROM registered_models WHERE name = NEW.name)
    WHERE rowid = NEW.rowid;
END;
CREATE TRIGGER version_tagged AFTER UPDATE OF tags ON model_versions BEGIN
  UPDATE model_versions SET tags = as_map(NEW.tags) WHERE rowid = NEW.rowid;
END;
CREATE TRIGGER version_deleted AFTER DELETE ON model_versions BEGIN
  DELETE FROM aliases WHERE name = OLD.name AND version = OLD.version;
END;
CREATE TRIGGER alias_is_possible BEFORE INSERT ON aliases BEGIN
  SELECT RAISE(FAIL, 'BackendError')
    WHERE NOT EXISTS (SELECT 1 FROM model_versions WHERE name = NEW.name AND version = NEW.version);
END;
CREATE TRIGGER alias_moves BEFORE UPDATE OF version ON aliases BEGIN
  SELECT RAISE(FAIL, 'BackendError')
    WHERE NOT EXISTS (SELECT 1 FROM model_versions WHERE name = NEW.name AND version = NEW.version);
END;
"""


def schema() -> str:
    """Every table and trigger, as one script."""
    dead = [f"CREATE TABLE dead_{table} AS SELECT {columns} FROM {table};" for table, columns in LIVE.items()]
    moves = [move(table, "run_id = OLD.run_id") for table in LIVE if table not in ("experiments", "runs")]
    logged = [
        LOGGED.format(table=table, own="NEW.settled IS NULL" if "metric" in table else "1")
        for table in ("tags", "params", "metrics", "metric_history")
    ]
    metrics = [
        METRICS.format(table=table, key=key)
        for table, key in (("metrics", "key"), ("metric_history", "metric_key"))
    ]
    parts = [TABLES, *dead, EXPERIMENTS, RUNS.replace("{moves}", "".join(moves)), *logged]
    return "\n".join([*parts, TAGS, PARAMS, *metrics, REGISTRY])


def move(table: str, where: str) -> str:
    """Two statements that move rows of a table to the dead."""
    columns = LIVE[table]
    return f"""  INSERT INTO dead_{table} SELECT {columns} FROM {table} WHERE {where};
  DELETE FROM {table} WHERE {where};
"""


def revive(table: str, where: str) -> str:
    """Two statements that move rows of a table back among the living."""
    columns = LIVE[table]
    return f"""INSERT INTO {table}({columns}) SELECT {columns} FROM dead_{table} WHERE {where};
DELETE FROM dead_{table} WHERE {where};
"""
