"""The filter language of Google's lists, by the examples of its specification and of lists that take it."""

from __future__ import annotations

import pytest

from tests.fakes.aip160 import Grammar, compile_filter
from tests.fakes.google_api import ApiError
from tests.fakes.proto_json import STRING, TEXT_MAP, TIMESTAMP, Enumeration, Message, Object

STATES = Enumeration(("STATE_UNSPECIFIED", "RUNNING", "FAILED", "SUCCEEDED"))
ITEM = Message(
    "Job",
    {
        "displayName": STRING,
        "state": STATES,
        "createTime": TIMESTAMP,
        "labels": TEXT_MAP,
        "metadata": TEXT_MAP,
        "parents": TEXT_MAP,
        "template": Message("Template", {"version": STRING}),
    },
)
GRAMMAR = Grammar(
    {
        "display_name": "= != :",
        "state": "= !=",
        "create_time": "= != < <= > >= :",
        "labels": "map",
        "metadata": "struct",
        "parents": "list",
        "template": "has",
        "template.version": "= !=",
    },
    functions={"in_context": lambda item, context: context == "c"},
    depth=2,
)
JOBS: dict[str, Object] = {
    "a": {
        "displayName": "my_job_1",
        "state": "SUCCEEDED",
        "createTime": "2021-05-18T00:00:00Z",
        "labels": {"env": "prod", "a b": "x", "empty": ""},
        "metadata": {"f": 10, "text": "test", "on": True},
        "parents": ["p1", "p2"],
        "template": {"version": "7"},
    },
    "b": {
        "displayName": "My_Job_2",
        "state": "FAILED",
        "createTime": "2021-05-18T00:00:00.000000001Z",
        "metadata": {"f": "10", "text": 1, "on": "true"},
    },
    "c": {"displayName": 'say "hi" \\ *', "state": "RUNNING", "createTime": "2022-01-01T00:00:00.5Z"},
    "d": {"labels": {"env": "test"}, "metadata": {"a:b": "x"}},
}


def kept(text: str, grammar: Grammar = GRAMMAR) -> str:
    test = compile_filter(text, ITEM, grammar)
    return "".join(name for name, job in JOBS.items() if test(job))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("", "abcd", id="nothing"),
        pytest.param('display_name="my_job_1"', "a", id="equal"),
        pytest.param("display_name=my_job_1", "a", id="without quotes"),
        pytest.param("display_name='my_job_1'", "a", id="single quotes"),
        pytest.param('NOT display_name="my_job_1"', "bcd", id="not"),
        pytest.param('-display_name="my_job_1"', "bcd", id="minus"),
        pytest.param('display_name!="my_job_1"', "bcd", id="unequal"),
        pytest.param('display_name:"*_job_*"', "a", id="wildcard"),
        pytest.param('display_name="*_job_*"', "", id="no wildcard after ="),
        pytest.param(r'display_name="say \"hi\" \\ *"', "c", id="escapes"),
        pytest.param('state="SUCCEEDED"', "a", id="enum"),
        pytest.param('state!="FAILED" OR display_name="My_Job_2"', "abcd", id="or"),
        pytest.param('state = "FAILED" AND display_name : "My*"', "b", id="and, with blanks"),
        pytest.param('state="FAILED" display_name:"My*"', "b", id="side by side is and"),
        pytest.param("state=RUNNING OR state=FAILED AND display_name=My_Job_2", "b", id="or binds tighter"),
        pytest.param("state=RUNNING OR (state=FAILED AND display_name=My_Job_2)", "bc", id="brackets"),
        pytest.param('create_time>"2021-05-18T00:00:00Z"', "bc", id="later"),
        pytest.param('create_time<="2021-05-18T00:00:00Z"', "a", id="not later"),
        pytest.param('create_time="2021-05-18T02:00:00+02:00"', "a", id="an offset"),
        pytest.param('create_time>="2021-05-19"', "c", id="a date"),
        pytest.param("create_time:*", "abc", id="there is a time"),
        pytest.param("labels.env=prod", "a", id="label"),
        pytest.param('labels."env" = "prod"', "a", id="quoted key"),
        pytest.param('labels."a b"=x', "a", id="a blank in a key"),
        pytest.param("labels.env:*", "ad", id="there is a label"),
        pytest.param("labels.empty:*", "a", id="there is an empty label"),
        pytest.param("labels:env", "ad", id="the map has a key"),
        pytest.param("metadata.f.number_value = 10.0", "a", id="number"),
        pytest.param("metadata.f.string_value = 10", "b", id="text that is a number"),
        pytest.param("metadata.on.bool_value = true", "a", id="bool"),
        pytest.param('metadata."a:b".string_value = "x"', "d", id="a colon in a key"),
        pytest.param('parents:"p1"', "a", id="element"),
        pytest.param("template:*", "a", id="the message is there"),
        pytest.param("template.version = 7", "a", id="within a message"),
        pytest.param('in_context("c") AND state=RUNNING', "c", id="function"),
    ],
)
def test_a_filter_keeps(text: str, names: str) -> None:
    assert kept(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "unknown=1",
        "displayName=x",
        "state=NONE",
        "state:RUNNING",
        "create_time>yesterday",
        "labels.env>1",
        "metadata.f=10",
        "metadata.f.number_value=ten",
        "nothing(1)",
        "state",
        "state=",
        "(state=RUNNING",
        "state=RUNNING)",
        "AND state=RUNNING",
        '"',
        "(((state=RUNNING)))",
    ],
)
def test_what_is_not_of_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="Invalid filter") as refused:
        kept(text)
    assert refused.value.status == "INVALID_ARGUMENT"


def test_what_is_not_documented_is_a_switch() -> None:
    loose = Grammar(GRAMMAR.fields, fold_case=True, wild_equals=True)
    assert kept("display_name=MY_job_*", loose) == "ab"
    assert kept("display_name!=MY_job_*", loose) == "cd"
