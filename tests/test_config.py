"""Configuration: where it is looked for, what it means, and how a wrong one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sqlprovider.config import (
    AuthSpec,
    Config,
    Settings,
    apply_set,
    base_url_problem,
    load_config,
    with_setting,
)
from sqlprovider.errors import ConfigError, ProgrammingError

PROVIDERS = ("google", "mlflow")


def load(
    source: str | Path | Mapping[str, object] | None,
    *overrides: str,
    environ: Mapping[str, str] | None = None,
    **settings: object,
) -> Config:
    return load_config(
        source, environ=environ or {}, providers=PROVIDERS, overrides=overrides, settings=settings
    )


def refusal(source: Mapping[str, object], *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(source, *overrides)
    return str(caught.value)


def connection(**body: object) -> dict[str, object]:
    return {"connections": {"mlflow": body}}


def write(folder: Path, text: str) -> Path:
    path = folder / "some.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_provider_has_a_connection_under_its_own_name() -> None:
    connections = load({}).connections
    assert {name: one.provider for name, one in connections.items()} == {
        "google": "google",
        "mlflow": "mlflow",
    }


def test_the_example_of_the_contract_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
max_requests = 100
timeout = 5
[connections.mlflow]
provider = "mlflow"
base_url = "http://127.0.0.1:5000"
[connections.google]
provider = "google"
auth = { type = "token", env = "GOOGLE_TOKEN" }
version = { aiplatform = "v1" }
base_url = { aiplatform = "https://{locationsId}-aiplatform.googleapis.com" }
defaults = { projectsId = "acme", locationsId = "us-central1" }
""",
    )
    config = load(path)
    google = config.connections["google"]
    assert config.path == path
    assert (config.settings.max_requests, config.settings.timeout) == (100, 5.0)
    assert google.auth == AuthSpec("token", {"env": "GOOGLE_TOKEN"})
    assert google.versions == {"aiplatform": "v1"}
    assert google.base_url == {"aiplatform": "https://{locationsId}-aiplatform.googleapis.com"}
    assert google.defaults == {"projectsId": "acme", "locationsId": "us-central1"}


def test_a_connection_may_have_a_name_of_its_own() -> None:
    config = load({"connections": {"staging": {"provider": "MLflow", "base_url": "https://mlflow.example"}}})
    assert config.connections["staging"].provider == "mlflow"
    assert list(config.connections) == ["staging", "google", "mlflow"]


def test_a_provider_spelt_with_capitals_as_a_connection_takes_its_place() -> None:
    assert list(load({"connections": {"MLflow": {}}}).connections) == ["MLflow", "google"]


def test_whole_numbers_are_taken_as_text_in_defaults() -> None:
    config = load(connection(defaults={"experiment_id": 1}))
    assert config.connections["mlflow"].defaults == {"experiment_id": "1"}


@pytest.mark.parametrize(
    ("body", "spec"),
    [
        pytest.param("none", AuthSpec("none", {}), id="a word"),
        pytest.param({"type": "none"}, AuthSpec("none", {}), id="none"),
        pytest.param(
            {"type": "basic", "username": "ana", "password_env": "PW"},
            AuthSpec("basic", {"username": "ana", "password_env": "PW"}),
            id="basic",
        ),
        pytest.param("adc", AuthSpec("adc", {}), id="adc"),
        pytest.param(
            {"type": "service_account", "file": "~/key.json"},
            AuthSpec("service_account", {"file": "~/key.json"}),
            id="service_account",
        ),
        pytest.param(
            {"type": "access_key", "id_env": "A", "secret_env": "B"},
            AuthSpec("access_key", {"id_env": "A", "secret_env": "B"}),
            id="access_key",
        ),
        pytest.param(
            {"type": "access_key", "id_env": "A", "secret_env": "B", "token_env": "C"},
            AuthSpec("access_key", {"id_env": "A", "secret_env": "B", "token_env": "C"}),
            id="access_key of a session",
        ),
        pytest.param({"type": "bearer", "env": "A"}, AuthSpec("bearer", {"env": "A"}), id="bearer"),
        pytest.param("profile", AuthSpec("profile", {}), id="profile"),
        pytest.param(
            {"type": "profile", "file": "f", "name": "n"},
            AuthSpec("profile", {"file": "f", "name": "n"}),
            id="a named profile",
        ),
        pytest.param(
            {"type": "api_key", "profile": "p"}, AuthSpec("api_key", {"profile": "p"}), id="api_key"
        ),
        pytest.param(
            {"type": "security_token", "file": "f"},
            AuthSpec("security_token", {"file": "f"}),
            id="security_token",
        ),
    ],
)
def test_auth_is_read(body: object, spec: AuthSpec) -> None:
    assert load(connection(auth=body)).connections["mlflow"].auth == spec


# ---- where it is looked for


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "max_requests = 7")
    assert load(None, environ={"SQLPROVIDER_CONFIG": str(path)}).settings.max_requests == 7


def test_an_explicit_file_wins_over_the_environment(tmp_path: Path) -> None:
    path = write(tmp_path, "max_requests = 7")
    assert load(path, environ={"SQLPROVIDER_CONFIG": "/nowhere"}).settings.max_requests == 7


def test_the_working_folder_is_looked_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sqlprovider.toml").write_text("max_requests = 8", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load(None, environ={"SQLPROVIDER_CONFIG": ""}).settings.max_requests == 8


def test_the_users_folder_is_looked_in_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    path = platformdirs.user_config_path("sqlprovider", appauthor=False) / "sqlprovider.toml"
    path.parent.mkdir(parents=True)
    path.write_text("max_requests = 9", encoding="utf-8")
    assert load(None).path == path


def test_no_file_at_all_is_an_empty_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    config = load(None)
    assert (config.settings, config.path) == (Settings(), None)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbfmax_requests = 3\r\n")
    assert load(path).settings.max_requests == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"max_requests = \n", "line 1", id="syntax"),
        pytest.param(b"a = 1\nmax_requests = [1,\n", "at end of document", id="cut off"),
        pytest.param(b"a = '\xff'", "not UTF-8", id="not UTF-8"),
        pytest.param(b"a = " + b"[" * 100_000, "not TOML", id="too deep"),
    ],
)
def test_a_file_that_is_no_toml_names_the_file_and_the_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_an_error_that_says_who_named_it() -> None:
    with pytest.raises(ConfigError, match=r"'/nowhere/x\.toml' \(from SQLPROVIDER_CONFIG\)"):
        load(None, environ={"SQLPROVIDER_CONFIG": "/nowhere/x.toml"})


def test_a_folder_is_no_configuration_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load(tmp_path)


def test_a_source_of_another_type_is_refused() -> None:
    with pytest.raises(ConfigError, match="not int"):
        load(5)  # type: ignore[arg-type]  # what a caller without types may do


# ---- what is refused in it


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param({"max_request": 1}, "'max_request'; did you mean max_requests", id="setting's name"),
        pytest.param({"mlflow": {}}, "[connections.mlflow]", id="connection outside connections"),
        pytest.param({"max_requests": "many"}, "max_requests must be a whole number", id="setting's type"),
        pytest.param({"max_requests": True}, "not True", id="boolean as number"),
        pytest.param({"max_requests": 0}, "at least 1", id="zero requests"),
        pytest.param({"timeout": -1}, "above 0", id="negative time-out"),
        pytest.param({"timeout": float("inf")}, "above 0", id="endless time-out"),
        pytest.param({"trace": "yes"}, "true or false", id="flag as text"),
        pytest.param({"connections": 1}, "connections must be a table", id="connections"),
        pytest.param({"connections": {"mlflow": 1}}, "connections.mlflow must be a table", id="connection"),
        pytest.param(connection(base_ur="x"), "'base_ur'; did you mean base_url", id="key"),
        pytest.param({"connections": {"staging": {}}}, "names no provider", id="no provider"),
        pytest.param(connection(provider="mflow"), "did you mean mlflow?", id="provider misspelt"),
        pytest.param(connection(provider=1), "must be the name of a provider", id="provider's type"),
        pytest.param(connection(insecure="no"), "true or false", id="insecure"),
        pytest.param(connection(region="a/b"), "must be a region's name", id="region"),
        pytest.param(connection(base_url=1), "must be text, or a table", id="base_url's type"),
        pytest.param(connection(base_url={"tracking": 1.5}), "base_url.tracking", id="base_url of a service"),
        pytest.param(connection(base_url="http://example.com"), "loopback only", id="plain http"),
        pytest.param(connection(version={"tracking": 2.0}), "put it in quotes", id="version as number"),
        pytest.param(connection(defaults={"a": True}), "put it in quotes", id="default as flag"),
        pytest.param(connection(defaults={"a": ""}), "must not be empty", id="empty default"),
        pytest.param(connection(defaults=[1]), "defaults must be a table, not list", id="defaults' type"),
        pytest.param(
            {"connections": {"a.b": {"provider": "mlflow"}}}, "choose another word", id="dotted name"
        ),
        pytest.param(
            {"connections": {"sqlprovider": {"provider": "mlflow"}}}, "choose another", id="our own name"
        ),
        pytest.param({"connections": {"mlflow": {}, "MLFLOW": {}}}, "is there twice", id="names that clash"),
        pytest.param(
            connection(auth={}), "needs a type; there are: none, basic, token", id="auth without type"
        ),
        pytest.param(connection(auth="acd"), "'acd'; there are: none, basic, token", id="auth type unknown"),
        pytest.param(
            connection(auth={"type": "access_key", "id_env": "A"}),
            "needs secret_env",
            id="auth option of two",
        ),
        pytest.param(connection(auth={"type": "token"}), "needs env", id="auth option missing"),
        pytest.param(
            connection(auth={"type": "none", "env": "A"}), "unknown key 'env'", id="auth option unknown"
        ),
        pytest.param(connection(auth=[1]), "must be a table", id="auth's type"),
    ],
)
def test_what_is_wrong_is_named(source: Mapping[str, object], said: str) -> None:
    assert said in refusal(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(connection(token="hunter2"), id="in the connection"),
        pytest.param(connection(auth={"type": "token", "token": "hunter2"}), id="token"),
        pytest.param(
            connection(auth={"type": "basic", "username": "a", "password": "hunter2"}), id="password"
        ),
        pytest.param(
            connection(auth={"type": "token", "env": "hunter2 is the token"}), id="in place of a name"
        ),
        pytest.param(connection(auth="hunter2.in.place.of.a.type"), id="in place of a type"),
        pytest.param(
            connection(auth={"type": "service_account", "file": '{"private_key": "hunter2"}'}),
            id="a file's text",
        ),
        pytest.param(
            connection(auth={"type": "service_account", "file": "-----BEGIN PRIVATE KEY----- hunter2"}),
            id="a key",
        ),
        pytest.param({"password": "hunter2"}, id="top level"),
        pytest.param(connection(base_url="https://ana:hunter2@example.com"), id="in a URL"),
    ],
)
def test_a_secret_in_the_configuration_is_refused_and_not_repeated(source: Mapping[str, object]) -> None:
    assert "hunter2" not in refusal(source)


def test_a_password_gets_the_hint_that_shows_password_env() -> None:
    assert "password_env" in refusal(connection(auth={"type": "basic", "username": "a", "password": "x"}))


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        pytest.param("https://example.com/prefix", True, id="https"),
        pytest.param("http://localhost:5000", True, id="localhost"),
        pytest.param("http://127.8.0.1", True, id="the whole of 127"),
        pytest.param("http://[::1]:80", True, id="IPv6 loopback"),
        pytest.param("https://{region}-x.example.com", True, id="placeholder"),
        pytest.param("http://{region}.example.com", False, id="placeholder over http"),
        pytest.param("http://localhost.example.com", False, id="localhost as a label"),
        pytest.param("ftp://example.com", False, id="other scheme"),
        pytest.param("example.com", False, id="no scheme"),
        pytest.param("https://", False, id="no host"),
        pytest.param("https://[::1", False, id="broken"),
        pytest.param("https://a:b", False, id="port"),
        pytest.param("https://a/?x=1", False, id="query"),
        pytest.param("https://a b", False, id="blank"),
        pytest.param("https://{a", False, id="open brace"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_base_url_is_checked(url: str, is_good: bool) -> None:
    assert (base_url_problem(url, insecure=False) is None) == is_good


def test_insecure_allows_plain_http() -> None:
    config = load(connection(base_url="http://mlflow.internal", insecure=True))
    assert config.connections["mlflow"].base_url == "http://mlflow.internal"


# ---- --set and keywords


def test_set_takes_a_setting() -> None:
    assert load({"max_requests": 1}, "max_requests=2").settings.max_requests == 2


def test_a_keyword_wins_over_set() -> None:
    assert load({}, "max_requests=2", max_requests=3).settings.max_requests == 3


@pytest.mark.parametrize(
    "key", [pytest.param("google", id="short"), pytest.param("connections.google", id="whole path")]
)
def test_set_takes_a_dotted_key_below_connections(key: str) -> None:
    config = load({}, f"{key}.base_url.aiplatform=http://127.0.0.1:1")
    assert config.connections["google"].base_url == {"aiplatform": "http://127.0.0.1:1"}


def test_set_replaces_a_text_by_a_table() -> None:
    config = load(connection(base_url="https://a"), "mlflow.base_url.tracking=https://b")
    assert config.connections["mlflow"].base_url == {"tracking": "https://b"}


def test_set_finds_the_connection_without_regard_to_case() -> None:
    config = load({"connections": {"Prod": {"provider": "mlflow"}}}, "prod.base_url=https://a")
    assert config.connections["Prod"].base_url == "https://a"


def test_set_keeps_numbers_of_a_connection_as_they_are_written() -> None:
    config = load({}, "google.defaults.projectsId=1_000", "mlflow.version.tracking=2.0")
    assert config.connections["google"].defaults == {"projectsId": "1_000"}
    assert config.connections["mlflow"].versions == {"tracking": "2.0"}


def test_set_reads_toml_tables() -> None:
    config = load({}, 'google.auth={ type = "token", env = "T" }')
    assert config.connections["google"].auth == AuthSpec("token", {"env": "T"})


def test_set_completes_a_connection_of_the_file() -> None:
    config = load({"connections": {"staging": {"base_url": "https://a"}}}, "staging.provider=mlflow")
    assert config.connections["staging"].provider == "mlflow"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        pytest.param("max_requests", "not of the form KEY=VALUE", id="no value"),
        pytest.param("=1", "not of the form KEY=VALUE", id="no key"),
        pytest.param("mlflow..x=1", "not of the form KEY=VALUE", id="empty part"),
        pytest.param("max_request=1", "did you mean max_requests", id="setting misspelt"),
        pytest.param("mlflow.base_ur=x", "did you mean base_url", id="key misspelt"),
        pytest.param("gogle.base_url=https://a", "did you mean google?", id="connection misspelt"),
        pytest.param("max_requests=x\ny=1", "must be a whole number", id="two keys in one"),
        pytest.param("mlflow.base_url=", "must begin with https://", id="empty"),
    ],
)
def test_a_wrong_set_is_refused_under_its_own_name(override: str, said: str) -> None:
    message = refusal({}, override)
    assert said in message
    assert message.startswith("--set")


def test_an_error_of_the_file_is_not_blamed_on_set(tmp_path: Path) -> None:
    path = write(tmp_path, "[connections.mlflow]\nregion = 'a/b'")
    with pytest.raises(ConfigError) as caught:
        load(path, "mlflow.base_url=https://a")
    assert str(caught.value).startswith(str(path))


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'time_out'; did you mean timeout\?"):
        load({}, time_out=3)


def test_sql_numbers_are_flags() -> None:
    assert with_setting(Settings(), "trace", 1).trace is True


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        pytest.param("1h", 3600, id="hours"),
        pytest.param("30m", 1800, id="minutes"),
        pytest.param("90s", 90, id="seconds"),
        pytest.param("1h30m5.5s", 5405.5, id="all of them"),
        pytest.param("1.5h", 5400, id="a fraction"),
        pytest.param(" 2m ", 120, id="blanks around it"),
        pytest.param("45", 45, id="a number as text"),
        pytest.param("0", 0, id="nothing as text"),
        pytest.param(0, 0, id="nothing"),
        pytest.param(0.25, 0.25, id="a number"),
        pytest.param("168h", 604800, id="the longest"),
    ],
)
def test_a_duration_is_read(written: object, seconds: float) -> None:
    assert with_setting(Settings(), "wait", written).wait == seconds


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("1h30", id="a number without its unit"),
        pytest.param("30m1h", id="the wrong order"),
        pytest.param("1 h", id="a blank within"),
        pytest.param("2d", id="days"),
        pytest.param("1H", id="capitals"),
        pytest.param("-5s", id="negative"),
        pytest.param("", id="empty"),
        pytest.param("h", id="no number"),
        pytest.param("\u0663s", id="digits of another script"),
        pytest.param("169h", id="too long"),
        pytest.param(float("nan"), id="no number at all"),
        pytest.param(float("inf"), id="for ever"),
        pytest.param(True, id="a flag"),
        pytest.param(None, id="nothing"),
    ],
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ConfigError, match="a duration such as 1h, 30m or 90s of at most 168h, or 0"):
        with_setting(Settings(), "wait", written)


def test_set_statement_changes_a_setting_whatever_its_case() -> None:
    assert apply_set(Settings(), "MAX_REQUESTS", 10).max_requests == 10


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        pytest.param(Settings(), "max_request", 1, id="unknown"),
        pytest.param(Settings(), "max_requests", "x", id="wrong type"),
        pytest.param(Settings(read_only=True), "read_only", 0, id="read_only off"),
        pytest.param(Settings(dry_run=True), "dry_run", False, id="dry_run off"),
    ],
)
def test_set_statement_refuses(settings: Settings, name: str, value: object) -> None:
    with pytest.raises(ProgrammingError):
        apply_set(settings, name, value)
