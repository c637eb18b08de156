"""Every setting in its four forms: a flag, a key of the configuration, a keyword of `connect()`, and SET."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import pytest

import sqlprovider
from sqlprovider.config import SETTINGS, Settings, load_config
from sqlprovider.errors import ConfigError, Error, ProgrammingError
from sqlprovider.surfaces.cli import main
from sqlprovider.surfaces.flags import read_arguments

PROVIDERS = ("mlflow",)

FORMS = [
    # name, flags, key and keyword, SET's literal, what is stored
    pytest.param("max_requests", ("--max-requests", "7"), 7, "7", 7, id="max_requests"),
    pytest.param("timeout", ("--timeout", "2.5"), 2.5, "2.5", 2.5, id="timeout"),
    pytest.param("trace", ("--trace",), True, "TRUE", True, id="trace"),
    pytest.param("read_only", ("--read-only",), True, "1", True, id="read_only"),
    pytest.param("dry_run", ("--dry-run",), True, "TRUE", True, id="dry_run"),
    pytest.param("allow_all", ("--allow-all",), True, "1", True, id="allow_all"),
    pytest.param("max_rows", ("--max-rows", "5"), 5, "5", 5, id="max_rows"),
    pytest.param("on_error", ("--on-error", "continue"), "continue", "'continue'", "continue", id="on_error"),
    pytest.param("wait", ("--wait", "1h30m"), "1h30m", "'1h30m'", 5400.0, id="wait"),
    pytest.param("wait", ("--wait", "0"), 0, "0", 0.0, id="wait for nothing"),
    pytest.param("journal", ("--no-journal",), False, "false", False, id="journal"),
    pytest.param("journal_bodies", ("--journal-bodies",), True, "TRUE", True, id="journal_bodies"),
    pytest.param("cache", ("--cache", "60s"), "60s", "'60s'", 60.0, id="cache"),
    pytest.param("cache", ("--cache", "0"), 0, "0", 0.0, id="no cache"),
    pytest.param("stale", ("--stale", "10m"), "10m", "'10m'", 600.0, id="stale"),
]
four_forms = pytest.mark.parametrize(("name", "flags", "given", "literal", "stored"), FORMS)


def of_flags(*flags: str) -> Settings:
    """The settings of a command line."""
    arguments = read_arguments(["query", *flags, "SELECT 1"], stdout=io.StringIO())
    assert arguments is not None
    assert arguments.sql == "SELECT 1"
    return load_config(
        {},
        environ={},
        providers=PROVIDERS,
        overrides=arguments.overrides,
        settings=dict(arguments.settings),
    ).settings


def test_every_setting_is_tried_in_its_four_forms() -> None:
    tried = {str(form.values[0]) for form in FORMS}
    assert tried == set(SETTINGS) == {field.name for field in fields(Settings)}


@four_forms
def test_a_setting_is_a_flag(
    name: str, flags: Sequence[str], given: Any, literal: str, stored: object
) -> None:
    assert getattr(of_flags(*flags), name) == stored


@four_forms
def test_a_setting_is_a_key(
    name: str, flags: Sequence[str], given: Any, literal: str, stored: object
) -> None:
    assert getattr(load_config({name: given}, environ={}, providers=PROVIDERS).settings, name) == stored


@four_forms
def test_a_setting_is_a_keyword_of_connect_and_a_statement(
    name: str, flags: Sequence[str], given: Any, literal: str, stored: object
) -> None:
    with sqlprovider.connect({}, **{name: given}) as connection:
        assert getattr(connection.settings, name) == stored
    with sqlprovider.connect({}) as connection:
        connection.execute(f"SET {name} = {literal}")
        assert getattr(connection.settings, name) == stored


@pytest.mark.parametrize(
    ("flags", "name", "stored"),
    [
        pytest.param((), "journal", True, id="on by default"),
        pytest.param(("--journal",), "journal", True, id="on"),
        pytest.param(("--set", "journal=false"), "journal", False, id="--set"),
        pytest.param(("--set", "journal=false", "--journal"), "journal", True, id="a flag wins"),
        pytest.param((), "cache", 0.0, id="no cache by default"),
        pytest.param((), "stale", 0.0, id="nothing stale by default"),
        pytest.param(("--set", "wait=1h"), "wait", 3600.0, id="a duration by --set"),
        pytest.param(("--set", "cache=1m"), "cache", 60.0, id="a cache by --set"),
        pytest.param(("--set", "on_error=continue"), "on_error", "continue", id="a word by --set"),
    ],
)
def test_a_flag_that_is_on_has_an_off_form(flags: Sequence[str], name: str, stored: object) -> None:
    assert getattr(of_flags(*flags), name) == stored


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        pytest.param(("--max-rows", "0"), "max_rows must be a whole number of at least 1, not 0", id="rows"),
        pytest.param(("--max-rows", "5.0"), "max_rows must be a whole number", id="rows as a fraction"),
        pytest.param(
            ("--on-error", "ignore"), "on_error must be 'stop' or 'continue', not 'ignore'", id="on_error"
        ),
        pytest.param(("--wait", "soon"), "wait must be a duration such as 1h, 30m or 90s", id="wait"),
        pytest.param(("--wait", "-1"), "or 0 for not at all, not -1", id="wait below 0"),
        pytest.param(
            ("--set", "journal=maybe"), "--set journal: journal must be true or false", id="journal"
        ),
    ],
)
def test_a_wrong_flag_says_what_is_expected(flags: Sequence[str], said: str) -> None:
    stderr = io.StringIO()
    assert main(["query", *flags, "SELECT 1"], stdout=io.StringIO(), stderr=stderr, environ={}) == 2
    assert said in stderr.getvalue()


@pytest.mark.parametrize(
    ("keyword", "value", "statement"),
    [
        pytest.param("allow_all", "yes", "SET allow_all = 'yes'", id="allow_all"),
        pytest.param("allow_all", 2, "SET allow_all = 2", id="allow_all as another number"),
        pytest.param("max_rows", True, "SET max_rows = 0", id="max_rows"),
        pytest.param("on_error", "ignore", "SET on_error = 'ignore'", id="on_error"),
        pytest.param("wait", "1 week", "SET wait = '1 week'", id="wait"),
        pytest.param("cache", "soon", "SET cache = 'soon'", id="cache"),
        pytest.param("stale", -1, "SET stale = -1", id="stale"),
        pytest.param("journal", None, "SET journal = NULL", id="journal"),
    ],
)
def test_a_wrong_value_is_refused_wherever_it_is_given(keyword: str, value: Any, statement: str) -> None:
    said = rf"{keyword} must be {SETTINGS[keyword].expected[:12]}"
    with pytest.raises(ConfigError, match=said):
        sqlprovider.connect({}, **{keyword: value})
    with pytest.raises(ConfigError, match=said):
        load_config({keyword: value}, environ={}, providers=PROVIDERS)
    with sqlprovider.connect({}) as connection, pytest.raises(ProgrammingError, match=said):
        connection.execute(statement)


def test_a_script_may_loosen_how_much_it_does_and_not_whether_it_writes() -> None:
    with sqlprovider.connect({}, max_rows=1, read_only=True) as connection:
        connection.execute("SET allow_all = 1")
        connection.execute("SET max_rows = 50")
        assert (connection.settings.allow_all, connection.settings.max_rows) == (True, 50)
        with pytest.raises(Error, match="SET cannot turn read_only off"):
            connection.execute("SET read_only = 0")


def test_help_names_every_setting() -> None:
    stdout = io.StringIO()
    read_arguments(["query", "--help"], stdout=stdout)
    said = stdout.getvalue()
    assert all(f"--{name.replace('_', '-')}" in said for name in SETTINGS)
    assert "--no-journal" in said
