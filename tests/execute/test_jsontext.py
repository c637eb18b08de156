"""JSON texts are read and written as `json` does it, whichever library does it."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from sqlprovider.execute.jsontext import FEW, SMALL, dump_all, dump_json, dump_maps, load_json

NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
LONG = st.integers(-(2**70), 2**70).map(str)
TEXTS = st.text(max_size=8).map(json.dumps) | st.text(max_size=8).map(
    lambda text: json.dumps(text, ensure_ascii=False)
)
WORDS = r"""
null true false NaN Infinity -Infinity "\ud800" "\ud83d\ude00" -0 -0.0 1e400
"12345678901234567890" "a:12345678901234567890" -9223372036854775808 -9223372036854775809
18446744073709551615 18446744073709551616
"""
BLANKS = st.sampled_from(["", "", " ", "\n", "\t\r "])


@st.composite
def _lists(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    blank = draw(BLANKS)
    return f"[{blank}{f'{blank},'.join(draw(st.lists(inner, max_size=4)))}]"


@st.composite
def _objects(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    blank = draw(BLANKS)
    pairs = draw(st.lists(st.tuples(TEXTS, inner), max_size=4))
    return "{" + ",".join(f"{key}{blank}:{blank}{value}" for key, value in pairs) + "}"


JSON_TEXTS = st.recursive(
    NUMBERS | LONG | TEXTS | st.sampled_from(WORDS.split()),
    lambda inner: _lists(inner) | _objects(inner),
    max_leaves=12,
)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A text with a few bytes left out, put in, or changed."""
    body = bytearray(draw(JSON_TEXTS).encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 2))] = draw(
            st.binary(max_size=2) | st.sampled_from([b"\xef\xbb\xbf", b",", b'"'])
        )
    return bytes(body)


def read(body: bytes) -> object:
    """By `json` alone; half a surrogate pair is no text."""
    found = json.loads(body.decode("utf-8-sig"))
    json.dumps(found, ensure_ascii=False).encode()
    return found


def outcome(load: object, body: bytes) -> str:
    """The value and the types in it, or the error."""
    assert callable(load)
    try:
        return repr(load(body))
    except UnicodeError as error:
        return type(error).__name__
    except ValueError as error:
        return repr(error)


@given(_damaged())
@example(b'{"a": 1, "a": 2}')
@example(b"\xef\xbb\xbf[1]")
@example(b"[123456789012345678901234567890.5, 0.12345678901234567890123]")
def test_a_text_is_read_as_json_reads_it(body: bytes) -> None:
    for padded in (body, body + b" " * SMALL):
        assert outcome(load_json, padded) == outcome(read, padded)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(
        [1e-4, 9.9e-5, 1e-5, 1.5e-7, 1e15, 1e16, 9999999999999998.0, 1e17, 1e22, 5e-324, 10.00001]
    )
    | st.text(max_size=6)
    | st.sampled_from(["1e5", "a\n", "0.00001", "\x7f", "\u2028", "\x00", "\ud7ff", "12e3,"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=5))
def test_texts_are_written_together_as_each_alone(values: list[object]) -> None:
    values = values * (FEW + 1)
    texts = dump_all(values)  # type: ignore[arg-type]  # JSON of any kind
    assert texts == [dump_json(value) for value in values]  # type: ignore[arg-type]  # the same
    assert [dump_json(json.loads(text)) for text in texts] == texts


@given(
    st.lists(
        st.dictionaries(st.text(max_size=4), st.text(max_size=4) | st.floats() | st.integers(), max_size=5)
    )
)
def test_maps_are_written_in_the_order_of_their_keys(maps: list[dict[str, object]]) -> None:
    maps = maps * (FEW + 1)
    texts = dump_maps(maps)  # type: ignore[arg-type]  # JSON of any kind
    assert texts == [dump_json(dict(sorted(found.items()))) for found in maps]  # type: ignore[arg-type]  # the same
