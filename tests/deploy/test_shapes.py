"""What a column of each type makes of a word of a file."""

from __future__ import annotations

import pytest

from sqlprovider.surfaces.deploy.model import Place
from sqlprovider.surfaces.deploy.nodes import given_text, plain_scalar
from sqlprovider.surfaces.deploy.shapes import Shape, ShapeError
from sqlprovider.values import JSON, Type

HERE = Place("f", 1)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        pytest.param(Type.INTEGER, "12", 12, id="INTEGER"),
        pytest.param(Type.INTEGER, "1e3", 1000, id="INTEGER, exponent"),
        pytest.param(Type.INTEGER, "0x1f", 31, id="INTEGER, hexadecimal"),
        pytest.param(Type.REAL, "12", 12, id="REAL, whole"),
        pytest.param(Type.REAL, ".inf", "Infinity", id="REAL, infinity"),
        pytest.param(Type.REAL, "NaN", "NaN", id="REAL, NaN"),
        pytest.param(Type.BOOLEAN, "true", True, id="BOOLEAN"),
        pytest.param(Type.BOOLEAN, "No", False, id="BOOLEAN, no"),
        pytest.param(Type.BOOLEAN, "1", True, id="BOOLEAN, 1"),
        pytest.param(Type.DATETIME, "2026-01-02", "2026-01-02 00:00:00.000", id="DATETIME, a day"),
        pytest.param(Type.JSON, "[no JSON", "[no JSON", id="JSON, a text"),
        pytest.param(Type.JSON, "1.5", 1.5, id="JSON, a number"),
        pytest.param(None, "yes", "yes", id="no type"),
    ],
)
def test_a_word_becomes_what_the_column_holds(type_: Type | None, text: str, value: JSON) -> None:
    found = Shape(type_).read(plain_scalar(text, HERE))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        pytest.param(Type.INTEGER, " 12 ", 12, id="INTEGER"),
        pytest.param(Type.REAL, "1.50", 1.5, id="REAL"),
        pytest.param(Type.BOOLEAN, "on", True, id="BOOLEAN"),
        pytest.param(Type.DATETIME, "0", "1970-01-01 00:00:00.000", id="DATETIME"),
        pytest.param(Type.JSON, '{"a": NaN}', {"a": "NaN"}, id="JSON"),
    ],
)
def test_text_of_the_command_line_is_read_as_the_columns_type(type_: Type, text: str, value: JSON) -> None:
    assert Shape(type_).read(given_text(text, HERE)) == value


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        pytest.param(Type.INTEGER, "1.5", id="INTEGER, a fraction"),
        pytest.param(Type.INTEGER, "true", id="INTEGER, a boolean"),
        pytest.param(Type.INTEGER, "9223372036854775808", id="INTEGER, 65 bits"),
        pytest.param(Type.INTEGER, "012", id="INTEGER, like octal"),
        pytest.param(Type.INTEGER, "x", id="INTEGER, text"),
        pytest.param(Type.REAL, "x", id="REAL, text"),
        pytest.param(Type.REAL, "true", id="REAL, a boolean"),
        pytest.param(Type.REAL, "1e999", id="REAL, too large"),
        pytest.param(Type.BOOLEAN, "2", id="BOOLEAN, 2"),
        pytest.param(Type.BOOLEAN, "maybe", id="BOOLEAN, text"),
        pytest.param(Type.DATETIME, "true", id="DATETIME, a boolean"),
        pytest.param(Type.DATETIME, "99999999999999999999", id="DATETIME, far away"),
        pytest.param(Type.JSON, "9" * 5000, id="JSON, 5000 digits"),
    ],
)
def test_a_word_that_a_column_cannot_hold_is_refused_without_being_told(type_: Type, text: str) -> None:
    with pytest.raises(ShapeError) as caught:
        Shape(type_).read(plain_scalar(text, HERE))
    assert len(str(caught.value)) < 120
