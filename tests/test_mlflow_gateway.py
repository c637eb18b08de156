"""The gateway, webhooks and workspaces on a real server: every RPC of them through SQL, read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sqlprovider.errors import IntegrityError
from tests.fakes.loopback import Loopback
from tests.mlflow_rpcs import Served, Sql, covers, exec_text, served, sql

__all__ = ["served", "sql"]
pytestmark = pytest.mark.slow

SECRETS = "mlflow.gateway.secrets"
DEFINITIONS = "mlflow.gateway.model_definitions"
ENDPOINTS = "mlflow.gateway.endpoints"


def make_definition(sql: Sql, name: str) -> tuple[str, str]:
    """A secret and a model definition: their ids."""
    made = f"""INSERT INTO {SECRETS} (secret_name, secret_value, provider)
        VALUES (?, '{{"api_key": "sk-planted-1234"}}', 'openai') RETURNING secret_id"""
    secret = str(sql.value(made, [name]))
    defined = f"""INSERT INTO {DEFINITIONS} (name, secret_id, provider, model_name)
        VALUES (?, ?, 'openai', 'gpt') RETURNING model_definition_id"""
    return secret, str(sql.value(defined, [name, secret]))


def make_endpoint(sql: Sql, name: str, definition: str) -> str:
    """An endpoint of one model: its id."""
    models = f'[{{"model_definition_id": "{definition}", "linkage_type": "PRIMARY"}}]'
    made = f"""INSERT INTO {ENDPOINTS} (name, model_configs, usage_tracking) VALUES (?, ?, FALSE)
        RETURNING endpoint_id"""
    return str(sql.value(made, [name, models]))


@covers(
    "createGatewaySecret",
    "listGatewaySecretInfos",
    "getGatewaySecretInfo",
    "updateGatewaySecret",
    "deleteGatewaySecret",
)
def test_secrets_are_made_changed_and_deleted_and_never_read(sql: Sql) -> None:
    made = f"""INSERT INTO {SECRETS} (secret_name, secret_value, provider, created_by)
        VALUES ('k', '{{"api_key": "sk-planted-1234"}}', 'anthropic', 'ann') RETURNING secret_id"""
    (id_,) = sql.row(made)
    assert isinstance(sql.refused(made), IntegrityError)
    read = (
        f"SELECT secret_name, masked_values->>'api_key', secret_value, last_updated_by FROM {SECRETS} WHERE "
    )
    assert sql.rows(read + "provider = 'anthropic'") == [("k", "sk-...1234", None, "ann")]
    changed = f"UPDATE {SECRETS} SET secret_value = ?, last_updated_by = 'bob' WHERE secret_id = ?"
    other = '{"api_key": "sk-planted-9876"}'
    assert [sql.do(changed, [other, secret]) for secret in (id_, "s-nobody")] == [1, 0]
    assert sql.rows(read + "secret_id = ?", [id_]) == [("k", "sk-...9876", None, "bob")]
    assert [sql.do(f"DELETE FROM {SECRETS} WHERE secret_id = ?", [secret]) for secret in (id_, id_)] == [1, 0]
    assert sql.rows(f"SELECT 1 FROM {SECRETS} WHERE secret_name = 'k'") == []


@covers(
    "createGatewayModelDefinition",
    "listGatewayModelDefinitions",
    "getGatewayModelDefinition",
    "updateGatewayModelDefinition",
    "deleteGatewayModelDefinition",
)
def test_model_definitions_are_made_read_changed_and_deleted(sql: Sql) -> None:
    secret, id_ = make_definition(sql, "defined")
    read = f"SELECT name, model_name FROM {DEFINITIONS} WHERE "
    assert sql.rows(read + "secret_id = ? AND provider = 'openai'", [secret]) == [("defined", "gpt")]
    assert sql.rows(read + "secret_id = 'nobody'") == []
    assert sql.do(f"UPDATE {DEFINITIONS} SET model_name = 'gpt-5' WHERE name = 'defined'") == 1
    assert sql.rows(read + "model_definition_id = ?", [id_]) == [("defined", "gpt-5")]
    assert sql.do(f"DELETE FROM {DEFINITIONS} WHERE model_definition_id = ?", [id_]) == 1
    assert sql.rows(read + "model_definition_id = ?", [id_]) == []


@covers(
    "createGatewayEndpoint",
    "listGatewayEndpoints",
    "getGatewayEndpoint",
    "updateGatewayEndpoint",
    "setGatewayEndpointTag",
    "deleteGatewayEndpointTag",
    "attachModelToEndpoint",
    "detachModelFromEndpoint",
    "deleteGatewayEndpoint",
)
def test_endpoints_and_their_models_are_made_read_changed_and_deleted(sql: Sql) -> None:
    _, first = make_definition(sql, "one")
    _, second = make_definition(sql, "two")
    id_ = make_endpoint(sql, "ep", first)
    changed = f"UPDATE {ENDPOINTS} SET name = 'ep.2', last_updated_by = 'bob', tags = ? WHERE name = 'ep'"
    assert sql.do(changed, ['{"a": "b", "c": "d"}']) == 1
    sql.do(f"UPDATE {ENDPOINTS} SET tags = json_remove(tags, '$.a') WHERE endpoint_id = ?", [id_])
    read = f"SELECT name, last_updated_by, usage_tracking, tags FROM {ENDPOINTS}"
    assert sql.rows(f"{read} WHERE provider = 'openai'") == [("ep.2", "bob", 0, '{"c":"d"}')]
    assert sql.rows(f"{read} WHERE provider = 'nobody'") == []
    assert sql.row(*exec_text("gateway.endpoints.get", name="ep.2"))[0] == id_

    models = "mlflow.gateway.endpoint_models"
    made = f"""INSERT INTO {models} (endpoint_id, model_definition_id, linkage_type, fallback_order)
        VALUES (?, ?, 'FALLBACK', 1)"""
    assert sql.do(made, [id_, second]) == 1
    assert isinstance(sql.refused(made, [id_, second]), IntegrityError)
    listed = f"SELECT model_definition_id, linkage_type, fallback_order FROM {models} ORDER BY linkage_type"
    assert sql.rows(listed) == [(second, "FALLBACK", 1), (first, "PRIMARY", None)]
    assert "detach" in str(sql.refused(f"DELETE FROM {models} WHERE endpoint_id = ?", [id_]).hint)
    sql.do(*exec_text("gateway.endpoint_models.detach", endpoint_id=id_, model_definition_id=second))
    assert sql.rows(listed) == [(first, "PRIMARY", None)]
    assert [sql.do(f"DELETE FROM {ENDPOINTS} WHERE endpoint_id = ?", [id_]) for _ in "twice"[:2]] == [1, 0]
    assert sql.rows(read) == []


def test_an_endpoint_without_a_model_is_got_and_not_listed(sql: Sql) -> None:
    """Why `get` is no SELECT: both are one row set."""
    _, definition = make_definition(sql, "alone")
    id_ = make_endpoint(sql, "bare", definition)
    sql.do(*exec_text("gateway.endpoint_models.detach", endpoint_id=id_, model_definition_id=definition))
    assert sql.rows(f"SELECT 1 FROM {ENDPOINTS} WHERE endpoint_id = ?", [id_]) == []
    assert sql.row(*exec_text("gateway.endpoints.get", endpoint_id=id_))[0] == id_
    assert sql.do(f"DELETE FROM {ENDPOINTS} WHERE endpoint_id = ?", [id_]) == 1


@covers("createEndpointBinding", "listEndpointBindings", "deleteEndpointBinding")
def test_bindings_of_endpoints_are_made_read_and_deleted(sql: Sql) -> None:
    _, definition = make_definition(sql, "bound")
    id_ = make_endpoint(sql, "bound", definition)
    table = "mlflow.gateway.endpoint_bindings"
    made = f"""INSERT INTO {table} (endpoint_id, resource_type, resource_id, created_by)
        VALUES (?, 'scorer', ?, 'ann')"""
    assert [sql.do(made, [id_, scorer]) for scorer in ("s1", "s2")] == [1, 1]
    assert sql.refused(made.replace("'scorer'", "'table'"), [id_, "s3"]).reason == "not_in_enum"
    read = f"SELECT resource_id, created_by FROM {table} WHERE "
    assert sql.rows(read + "endpoint_id = ? AND resource_id = 's2'", [id_]) == [("s2", "ann")]
    assert sql.rows(read + "endpoint_id = 'nobody'") == sql.rows(read + "resource_type = 'table'") == []
    assert sql.do(f"DELETE FROM {table} WHERE resource_id = 's1'") == 1
    assert sql.rows(f"SELECT resource_id FROM {table}") == [("s2",)]


@covers(
    "createBudgetPolicy",
    "listBudgetPolicies",
    "getBudgetPolicy",
    "updateBudgetPolicy",
    "listBudgetWindows",
    "deleteBudgetPolicy",
)
def test_budget_policies_are_made_read_changed_and_deleted(sql: Sql) -> None:
    table = "mlflow.gateway.budget_policies"
    made = f"""INSERT INTO {table} (budget_unit, budget_amount, duration, target_scope, budget_action)
        VALUES ('USD', 12.5, ?, 'GLOBAL', 'ALERT') RETURNING budget_policy_id, created_by"""
    id_, who = sql.row(made, ['{"unit": "DAYS", "value": 1}'])
    assert who is None
    assert sql.do(f"UPDATE {table} SET budget_amount = budget_amount * 2 WHERE target_scope = 'GLOBAL'") == 1
    assert sql.row(
        f"SELECT budget_amount, duration->>'unit' FROM {table} WHERE budget_policy_id = ?", [id_]
    ) == (25.0, "DAYS")
    spent = f"""SELECT p.budget_amount, w.current_spend,
            julianday(w.window_end_ms) - julianday(w.window_start_ms)
        FROM {table} AS p JOIN mlflow.gateway.budget_windows AS w USING (budget_policy_id)"""
    assert sql.rows(spent) == [(25.0, 0.0, 1.0)]
    assert sql.do(f"DELETE FROM {table} WHERE budget_amount > 20") == 1
    assert sql.rows(f"SELECT 1 FROM {table}") == []


@covers(
    "createGatewayGuardrail",
    "listGatewayGuardrails",
    "getGatewayGuardrail",
    "addGuardrailToEndpoint",
    "listEndpointGuardrailConfigs",
    "updateEndpointGuardrailConfig",
    "removeGuardrailFromEndpoint",
    "deleteGatewayGuardrail",
)
def test_guardrails_are_made_put_before_endpoints_and_deleted(sql: Sql, served: Served) -> None:
    _, definition = make_definition(sql, "guarded")
    endpoint = make_endpoint(sql, "guarded", definition)
    registered = """INSERT INTO mlflow.genai.scorer_versions (experiment_id, name, serialized_scorer)
        VALUES (?, 'safety', '{}') RETURNING scorer_id"""
    scorer = sql.value(registered, [served.experiment])
    table, configs = "mlflow.gateway.guardrails", "mlflow.gateway.endpoint_guardrails"
    made = f"""INSERT INTO {table} (name, scorer_id, scorer_version, stage, action, action_endpoint_id)
        VALUES ('g', ?, 1, 'BEFORE', 'SANITIZATION', ?) RETURNING guardrail_id"""
    id_ = sql.value(made, [scorer, endpoint])
    read = f"SELECT name, scorer_id, scorer_version, action_endpoint_id FROM {table}"
    # The endpoint goes in by its id and comes out by its name.
    assert (
        sql.rows(read) == sql.rows(f"{read} WHERE guardrail_id = ?", [id_]) == [("g", scorer, 1, "guarded")]
    )

    added = f"INSERT INTO {configs} (endpoint_id, guardrail_id, execution_order) VALUES (?, ?, 2)"
    assert sql.do(added, [endpoint, id_]) == 1
    assert isinstance(sql.refused(added, [endpoint, id_]), IntegrityError)
    listed = f"SELECT guardrail->>'name', execution_order FROM {configs}"
    assert sql.rows(listed) == sql.rows(f"{listed} WHERE endpoint_id = ?", [endpoint]) == [("g", 2)]
    assert sql.rows(f"{listed} WHERE endpoint_id = 'nobody'") == []
    assert sql.do(f"UPDATE {configs} SET execution_order = 5 WHERE endpoint_id = ?", [endpoint]) == 1
    assert sql.rows(listed) == [("g", 5)]
    assert sql.do(f"DELETE FROM {configs} WHERE endpoint_id = ?", [endpoint]) == 1
    assert sql.rows(listed) == []
    assert sql.do(f"DELETE FROM {table} WHERE name = 'g'") == 1
    assert sql.rows(read) == []


@covers(
    *(f"WebhookService.{name}Webhook" for name in ("create", "get", "update", "delete", "test")),
    "WebhookService.listWebhooks",
)
def test_webhooks_are_made_tried_changed_and_deleted(sql: Sql) -> None:
    table = "mlflow.registry.webhooks"
    with Loopback(_accepting) as heard:
        made = f"""INSERT INTO {table} (name, url, events, secret)
            VALUES ('w', ?, ?, 'planted') RETURNING webhook_id, status"""
        events = '[{"entity": "PROMPT", "action": "CREATED"}]'
        id_, status = sql.row(made, [f"{heard.base_url}/hook", events])
        assert status == "ACTIVE"
        assert sql.row(*exec_text("registry.webhooks.test", webhook_id=id_))[:2] == (1, 200)
        (seen,) = heard.requests
    assert (seen.path, seen.json["entity"]) == ("/hook", "prompt")
    assert seen.headers["x-mlflow-signature"].startswith("v1,")
    assert sql.do(f"UPDATE {table} SET status = 'DISABLED', description = 'd' WHERE name = 'w'") == 1
    read = f"SELECT status, description, secret, events->>'$[0].entity' FROM {table}"
    assert (
        sql.rows(read)
        == sql.rows(f"{read} WHERE webhook_id = ?", [id_])
        == [("DISABLED", "d", None, "PROMPT")]
    )
    assert sql.rows(f"{read} WHERE webhook_id = 'a/b'") == []
    assert [sql.do(f"DELETE FROM {table} WHERE webhook_id = ?", [id_]) for _ in "twice"[:2]] == [1, 0]
    assert sql.rows(read) == []


def _accepting(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


@covers("createWorkspace", "listWorkspaces", "getWorkspace", "updateWorkspace", "deleteWorkspace")
def test_workspaces_are_made_read_changed_and_deleted(sql: Sql, served: Served) -> None:
    table = "mlflow.server.workspaces"
    made = f"INSERT INTO {table} (name, description) VALUES ('team-a', 'd') RETURNING name"
    assert sql.value(made) == "team-a"
    assert isinstance(sql.refused(made), IntegrityError)
    changed = f"UPDATE {table} SET description = 'e', trace_archival_config = ? WHERE name = ?"
    kept_for = '{"retention": "7d"}'
    assert [sql.do(changed, [kept_for, name]) for name in ("team-a", "nobody")] == [1, 0]
    read = f"SELECT description, trace_archival_config FROM {table} WHERE name "
    assert sql.rows(read + "= 'team-a'") == [("e", '{"retention":"7d"}')]
    assert sql.rows(read + "IN ('Not A Name', 'nobody')") == []
    assert sorted(sql.rows(f"SELECT name FROM {table}")) == [("default",), ("team-a",)]
    inside = httpx.post(
        f"{served.base_url}/api/2.0/mlflow/experiments/create",
        json={"name": "inside"},
        headers={"X-MLFLOW-WORKSPACE": "team-a"},
    )
    assert inside.status_code == httpx.codes.OK
    kept = sql.answered(f"DELETE FROM {table} WHERE name = 'team-a'")
    assert (kept.status, kept.code) == (500, "INVALID_STATE")
    assert sql.do(f"DELETE FROM {table} WHERE name = 'team-a' AND mode = 'CASCADE'") == 1
    assert sql.rows(f"SELECT name FROM {table}") == [("default",)]


def test_a_planted_secret_is_in_no_message(sql: Sql) -> None:
    made = f"INSERT INTO {SECRETS} (secret_name, secret_value) VALUES ('', ?)"
    error = sql.answered(made, ['{"api_key": "sk-planted-1"}'])
    assert error.status == 400
    assert "planted" not in f"{error} {error.hint} {error.context}"
