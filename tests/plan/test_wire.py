"""SQL values into what goes over the wire."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sqlprovider.catalog.model import Parameter, Wire
from sqlprovider.errors import ProgrammingError
from sqlprovider.plan.wire import default_value, key_values, shorten, to_wire
from sqlprovider.values import JSON, SQLValue, Type
from tests.plan.build import takes

INT64 = takes("p", type=Type.INTEGER, wire=Wire.INT64)
MS = takes("p", type=Type.DATETIME, wire=Wire.EPOCH_MS)
RFC = takes("p", type=Type.DATETIME, wire=Wire.RFC3339)
PAIRS = takes("p", type=Type.JSON, wire=Wire.KEY_VALUE)
OBJECT = takes("p", type=Type.JSON)
LIST = takes("p", type=Type.JSON, repeated=True)
NUMBER = takes("p", type=Type.REAL, wire=Wire.NUMBER)
SHORT = takes("p", type=Type.JSON, max_chars=3)
SHORT_PAIRS = takes("p", type=Type.JSON, wire=Wire.KEY_VALUE, max_chars=3)
FLAG = takes("p", type=Type.BOOLEAN)


@pytest.mark.parametrize(
    ("value", "parameter", "wire"),
    [
        pytest.param(None, OBJECT, None, id="NULL is nothing"),
        pytest.param("x", takes("p"), "x", id="text"),
        pytest.param(1, takes("p"), "1", id="a number as text"),
        pytest.param("x", takes("p", repeated=True), ["x"], id="one of a list"),
        pytest.param("12", takes("p", type=Type.INTEGER), 12, id="text as an integer"),
        pytest.param(12, INT64, "12", id="int64"),
        pytest.param(2.0, takes("p", type=Type.INTEGER), 2, id="a whole REAL"),
        pytest.param(1, NUMBER, 1.0, id="REAL"),
        pytest.param("0.5", NUMBER, 0.5, id="text as REAL"),
        pytest.param("nan", NUMBER, "NaN", id="NaN by name"),
        pytest.param(" -Infinity", NUMBER, "-Infinity", id="-Infinity by name"),
        pytest.param(float("inf"), NUMBER, "Infinity", id="infinity"),
        pytest.param(float("-inf"), NUMBER, "-Infinity", id="-infinity"),
        pytest.param(float("nan"), NUMBER, "NaN", id="a NaN"),
        pytest.param(1, FLAG, True, id="true"),
        pytest.param("False", FLAG, False, id="false by name"),
        pytest.param("1", FLAG, True, id="true as text"),
        pytest.param("2026-01-02 03:04:05.678", MS, 1767323045678, id="a time in ms"),
        pytest.param("2026-01-02T03:04:05+01:00", RFC, "2026-01-02T02:04:05Z", id="RFC 3339"),
        pytest.param(1767323045678, MS, 1767323045678, id="ms as they are"),
        pytest.param(1767323045678, RFC, "2026-01-02T03:04:05.678Z", id="ms as RFC 3339"),
        pytest.param("1767323045678", MS, 1767323045678, id="ms as text"),
        pytest.param(1767323045678.0, MS, 1767323045678, id="ms as a whole REAL"),
        pytest.param('{"a":1}', OBJECT, {"a": 1}, id="JSON"),
        pytest.param("plain", OBJECT, "plain", id="text that is no JSON"),
        pytest.param("NaN", OBJECT, "NaN", id="NaN is no number of JSON"),
        pytest.param(3, OBJECT, 3, id="a number"),
        pytest.param("x", LIST, ["x"], id="one as a list"),
        pytest.param("[1,2]", LIST, [1, 2], id="a list"),
        pytest.param(
            '{"a":"x","b":1,"c":true,"d":{"e":"é"}}',
            PAIRS,
            [
                {"key": "a", "value": "x"},
                {"key": "b", "value": "1"},
                {"key": "c", "value": "true"},
                {"key": "d", "value": '{"e":"é"}'},
            ],
            id="a map as keys and values",
        ),
        pytest.param('[{"key":"a","value":"x"}]', PAIRS, [{"key": "a", "value": "x"}], id="a list as it is"),
    ],
)
def test_a_value_goes_out_as_its_parameter_says(value: SQLValue, parameter: Parameter, wire: JSON) -> None:
    sent = to_wire(value, parameter, where="HERE")
    assert (sent, type(sent)) == (wire, type(wire))


@pytest.mark.parametrize(
    ("value", "parameter", "said"),
    [
        pytest.param(b"x", takes("p"), "a BLOB cannot be sent", id="a BLOB"),
        pytest.param("x", takes("p", type=Type.INTEGER), "it takes an integer", id="no integer"),
        pytest.param(2.5, takes("p", type=Type.INTEGER), "it takes an integer", id="a fraction"),
        pytest.param("x", NUMBER, "it takes a number, 'NaN'", id="no number"),
        pytest.param("yes", FLAG, "it is TRUE or FALSE", id="no truth value"),
        pytest.param(2, FLAG, "it is TRUE or FALSE", id="another number"),
        pytest.param("soon", MS, "'soon' is no date and time", id="no time"),
        pytest.param(1.5, MS, "or whole milliseconds", id="a fraction of a ms"),
        pytest.param(10**17, RFC, "no date of the years 1 to 9999", id="beyond the years"),
        pytest.param("x", PAIRS, "it takes a JSON object", id="no object"),
    ],
)
def test_a_value_that_a_parameter_cannot_take_is_named(
    value: SQLValue, parameter: Parameter, said: str
) -> None:
    with pytest.raises(ProgrammingError, match="HERE: p cannot be ") as raised:
        to_wire(value, parameter, where="HERE")
    assert said in raised.value.message
    assert raised.value.reason == "wrong_value"


@pytest.mark.parametrize("repeated", [pytest.param(True, id="in a list"), pytest.param(False, id="alone")])
def test_a_value_outside_the_enum_is_refused_with_the_values(repeated: bool) -> None:
    parameter = takes("p", enum=("A", "B"), repeated=repeated)
    assert to_wire("A", parameter, where="HERE") == (["A"] if repeated else "A")
    with pytest.raises(ProgrammingError, match="p cannot be 'C'; it is one of A, B") as raised:
        to_wire("C", parameter, where="HERE")
    assert raised.value.reason == "not_in_enum"


@pytest.mark.parametrize(
    ("value", "parameter", "said"),
    [
        pytest.param("long", takes("p", max_chars=3), "p has 4 characters; the API takes 3", id="a text"),
        pytest.param('{"k": "long"}', SHORT_PAIRS, "p.value has 4", id="a value"),
        pytest.param('{"k": ["long"]}', SHORT, "p.k has 4 characters", id="in a list"),
    ],
)
def test_a_text_that_the_api_would_cut_off_is_refused(
    value: SQLValue, parameter: Parameter, said: str
) -> None:
    with pytest.raises(ProgrammingError, match=said) as raised:
        to_wire(value, parameter, where="HERE")
    assert raised.value.reason == "too_long"


def test_a_text_that_the_api_would_forget_is_refused() -> None:
    with pytest.raises(ProgrammingError, match="p has 0 characters; the API forgets less than 1") as raised:
        to_wire("", takes("p", min_chars=1), where="HERE")
    assert raised.value.reason == "too_short"


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        pytest.param("abc", "abc", id="as long"),
        pytest.param(1234, 1234, id="a number"),
        pytest.param('{"key": ["abc", 1234]}', {"key": ["abc", 1234]}, id="below a longer key"),
    ],
)
def test_a_text_that_is_not_too_long_is_sent(value: SQLValue, wire: JSON) -> None:
    assert to_wire(value, SHORT, where="HERE") == wire


def test_a_map_has_the_key_names_of_its_parameter() -> None:
    assert key_values({"a": "x"}, ("name", "text")) == [{"name": "a", "text": "x"}]


@pytest.mark.parametrize(
    ("parameter", "sent"),
    [
        pytest.param(takes("p"), None, id="none"),
        pytest.param(takes("p", default="x"), "x", id="a constant"),
        pytest.param(takes("p", default="now()", wire=Wire.EPOCH_MS), 1767323045678, id="now in ms"),
        pytest.param(
            takes("p", default="now()", wire=Wire.RFC3339), "2026-01-02T03:04:05.678000Z", id="now as text"
        ),
    ],
)
def test_a_default_is_sent_where_nothing_is_given(parameter: Parameter, sent: JSON) -> None:
    assert default_value(parameter, datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)) == sent


def test_a_long_value_is_shortened_in_a_message() -> None:
    assert shorten("x") == "'x'"
    assert shorten("x" * 100) == f"'{'x' * 59}… (102 characters)"


@pytest.mark.parametrize(
    ("value", "wire"), [("é", "w6k="), (b"\x00\xff", "AP8="), (7, "Nw==")], ids=["text", "bytes", "number"]
)
def test_a_whole_body_travels_as_its_bytes(value: SQLValue, wire: str) -> None:
    assert to_wire(value, takes("p", wire=Wire.RAW), where="x") == wire


def test_a_token_is_a_text_like_no_other() -> None:
    made = [default_value(takes("p", default="token()")) for _ in range(20)]
    assert len(set(map(str, made))) == 20
    assert all(isinstance(text, str) and len(text) >= 32 for text in made)
