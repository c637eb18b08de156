"""Whether a live value is what is wanted: two forms of one value are no change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlprovider.surfaces.deploy.values import LiveRow, as_json, parsed, text_of
from sqlprovider.values import JSON, NOT_FINITE, Type, cast, datetime_from_epoch_ms, datetime_from_text

if TYPE_CHECKING:
    from sqlprovider.session import ColumnFacts

_EMPTY: tuple[JSON, ...] = (None, "", {}, [])
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


def is_same(wanted: JSON, row: LiveRow, column: ColumnFacts, *, whole: bool = True) -> bool:
    """Whether the row has what is wanted there. `whole` False: keys that only the live maps have are none of
    the entry's business (the server's own defaults in what cannot be changed)."""
    live = as_json(row.get(column.name), column.type)
    if is_empty(wanted) or is_empty(live):
        return (is_empty(wanted) and is_empty(live)) or _is_named(wanted, row, column)
    if column.is_map:
        return texts(wanted) == texts(live)
    match column.type:
        case Type.DATETIME:
            return _moment(wanted) == _moment(live)
        case Type.JSON:
            return _alike(parsed(wanted) if isinstance(wanted, str) else wanted, live, whole=whole)
        case Type.BOOLEAN:
            return _truth(wanted) == _truth(live)
        case Type.TEXT:
            return _plain(wanted) == _plain(live)
        case Type.INTEGER | Type.REAL:
            return _number(wanted, column.type) == _number(live, column.type)


def is_empty(value: JSON) -> bool:
    """NULL, an empty text, map or list: APIs leave all of them out."""
    return any(value == empty and type(value) is type(empty) for empty in _EMPTY)


def texts(value: JSON) -> dict[str, str]:
    """A map of labels or tags, whose values are texts; a key without a value is not there."""
    found = parsed(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        return {}
    return {key: text_of(item) for key, item in found.items() if item is not None}


def _is_named(wanted: JSON, row: LiveRow, column: ColumnFacts) -> bool:
    """NaN and Infinity are NULL beside a column that says which."""
    return wanted in NOT_FINITE and row.get(f"{column.name}_text") == wanted


def _moment(value: JSON) -> JSON:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime_from_epoch_ms(value).rstrip("0")
        return datetime_from_text(str(value)).rstrip("0")
    except ValueError:
        return value


def _plain(value: JSON) -> JSON:
    return value if isinstance(value, str) else text_of(value)


def _truth(value: JSON) -> JSON:
    return {"true": True, "false": False, "1": True, "0": False}.get(text_of(value).lower(), value)


def _number(value: JSON, type_: Type) -> JSON:
    if isinstance(value, bool):
        return int(value)
    return cast(value, type_) if isinstance(value, int | float | str) else value  # type: ignore[return-value]  # numbers and texts are cast to the same


def _alike(wanted: JSON, live: JSON, *, whole: bool) -> bool:
    if is_empty(wanted) or is_empty(live):
        return is_empty(wanted) and is_empty(live)
    match wanted, live:
        case dict(), dict():
            keys = {*wanted, *live} if whole else set(wanted)
            return all(_alike(wanted.get(key), live.get(key), whole=whole) for key in keys)
        case list(), list():
            return len(wanted) == len(live) and all(
                _alike(one, other, whole=whole) for one, other in zip(wanted, live, strict=True)
            )
        case (dict() | list(), _) | (_, dict() | list()):
            return False
        case _:
            return _leaf_alike(wanted, live)


def _leaf_alike(wanted: JSON, live: JSON) -> bool:
    if isinstance(wanted, bool) or isinstance(live, bool):
        return text_of(wanted) == text_of(live)
    if isinstance(wanted, int | float) or isinstance(live, int | float):
        # An int64 travels as a text.
        return _number(wanted, Type.REAL) == _number(live, Type.REAL) and _integer_alike(wanted, live)
    if wanted == live:
        return True
    texts = (str(wanted), str(live))
    return all(map(_MOMENT.fullmatch, texts)) and _moment(texts[0]) == _moment(texts[1])


def _integer_alike(wanted: JSON, live: JSON) -> bool:
    """Whole numbers that no REAL can hold are told apart as whole numbers."""
    if isinstance(wanted, float) or isinstance(live, float):
        return True
    return _number(wanted, Type.INTEGER) == _number(live, Type.INTEGER)
