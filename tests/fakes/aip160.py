"""The filter language of Google's lists (https://google.aip.dev/160): text to a test on items.

    filter    = [sequence {"AND" sequence}]         sequence = factor {factor}       (side by side: AND)
    factor    = term {"OR" term}                    OR binds tighter than AND
    term      = ["NOT" | "-"] (restriction | "(" filter ")")
    restriction = member [("=" | "!=" | "<" | "<=" | ">" | ">=" | ":") value] | function "(" values ")"

What is not said of a live service is a switch: whether text is compared without regard to case, and
whether `*` stands for any text after `=` as it does after `:`. What is sent must be right under both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlprovider.values import JSON
from tests.fakes.google_api import ApiError
from tests.fakes.proto_json import Enumeration, FieldType, Message, Object, camel

Test = Callable[[Object], bool]
Function = Callable[[Object, str], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<op><=|>=|!=|[=<>:])|(?P<mark>[().,])"""
    r"""|(?P<text>[^\s"'<>=!:().,]+))"""
)
_STRUCT_KINDS = ("number_value", "string_value", "bool_value")
_ORDERED = ("<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Grammar:
    """What one list takes. `fields` are snake_case, each with its operators apart by blanks.

    `map` stands for the operators of a map of text: `labels.k = v`, `labels.k:*`, `labels:k`; `struct` for
    those of a JSON object: `metadata.f.number_value = 10`; `list` for `field:element`; `has` for `field:*`.
    """

    fields: Mapping[str, str]
    functions: Mapping[str, Function] = field(default_factory=dict)
    depth: int | None = None
    """How deep brackets may nest."""
    fold_case: bool = False
    wild_equals: bool = False


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int
    end: int


def compile_filter(text: str, message: Message, grammar: Grammar) -> Test:
    """The test that the filter is. Raises ApiError INVALID_ARGUMENT for what is not of the grammar."""
    parser = _Parser(text, message, grammar)
    if not parser.tokens:
        return lambda item: True
    test = parser.filter(0)
    parser.end()
    return test


class _Parser:
    def __init__(self, text: str, message: Message, grammar: Grammar) -> None:
        self.text, self.message, self.grammar = text, message, grammar
        self.tokens = list(_tokens(text))
        self.position = 0

    def filter(self, depth: int) -> Test:
        """`a AND b c` as one test."""
        if self.grammar.depth is not None and depth > self.grammar.depth:
            raise _invalid(f"Invalid filter {self.text!r}: it is nested deeper than {self.grammar.depth}.")
        tests = [self._factor(depth)]
        while (token := self._peek()) is not None and token.text != ")":
            if token.kind == "text" and token.text == "AND":
                self._take()
            tests.append(self._factor(depth))
        return lambda item: all(test(item) for test in tests)

    def end(self) -> None:
        """Nothing may be left."""
        if (token := self._peek()) is not None:
            raise self._unexpected(token)

    def _factor(self, depth: int) -> Test:
        tests = [self._term(depth)]
        while (token := self._peek()) is not None and (token.kind, token.text) == ("text", "OR"):
            self._take()
            tests.append(self._term(depth))
        return lambda item: any(test(item) for test in tests)

    def _term(self, depth: int) -> Test:
        token = self._take()
        if token.kind == "text" and (token.text == "NOT" or token.text.startswith("-")):
            if token.text not in ("NOT", "-"):
                self.position -= 1
                self.tokens[self.position] = _Token("text", token.text[1:], token.at + 1, token.end)
            inner = self._term(depth)
            return lambda item: not inner(item)
        if token.text == "(" and token.kind == "mark":
            inner = self.filter(depth + 1)
            self._expect(")")
            return inner
        return self._restriction(token)

    def _restriction(self, first: _Token) -> Test:
        if first.kind not in ("text", "string"):
            raise self._unexpected(first)
        path = [_unquoted(first)]
        while (token := self._peek()) is not None and token.text == "." and token.kind == "mark":
            self._take()
            path.append(_unquoted(self._take("text", "string")))
        if token is not None and token.text == "(" and len(path) == 1:
            return self._call(path[0])
        if token is None or token.kind != "op":
            raise _invalid(f"Invalid filter {self.text!r}: {'.'.join(path)!r} is compared with nothing.")
        op = self._take().text
        return _compare(path, op, self._value(), self.message, self.grammar)

    def _value(self) -> str:
        """A quoted string, or text and points that touch (`10.5`)."""
        token = self._take("text", "string")
        if token.kind == "string":
            return _unquoted(token)
        end = token.end
        while (after := self._peek()) is not None and after.at == end and after.text not in ("(", ")", ","):
            end = self._take("text", "mark").end
        return self.text[token.at : end]

    def _call(self, name: str) -> Test:
        function = self.grammar.functions.get(name)
        if function is None:
            raise _invalid(f"Invalid filter {self.text!r}: there is no function {name!r} here.")
        self._expect("(")
        argument = _unquoted(self._take("text", "string"))
        self._expect(")")
        return lambda item: function(item, argument)

    def _peek(self) -> _Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _take(self, *kinds: str) -> _Token:
        token = self._peek()
        if token is None:
            raise _invalid(f"Invalid filter {self.text!r}: it ends too early.")
        if kinds and token.kind not in kinds:
            raise self._unexpected(token)
        self.position += 1
        return token

    def _expect(self, text: str) -> None:
        if (token := self._take()).text != text:
            raise self._unexpected(token)

    def _unexpected(self, token: _Token) -> ApiError:
        return _invalid(f"Invalid filter {self.text!r}: {token.text!r} at {token.at} is unexpected.")


def _tokens(text: str) -> list[_Token]:
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise _invalid(f"Invalid filter {text!r}: it cannot be read at {position}.")
        position = match.end()
        found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup), position))
    return found


def _unquoted(token: _Token) -> str:
    return re.sub(r"\\(.)", r"\1", token.text[1:-1]) if token.kind == "string" else token.text


def _compare(path: list[str], op: str, value: str, message: Message, grammar: Grammar) -> Test:
    named = ".".join(path) if ".".join(path) in grammar.fields else path[0]
    operators = grammar.fields.get(named, "").split()
    rest = path[len(named.split(".")) :]
    first = message.fields.get(camel(path[0]))
    if not operators or first is None:
        raise _invalid(f"Invalid filter: {'.'.join(path)!r} is no field that this list is filtered by.")
    match operators:
        case ["map"]:
            return _map_test(path, op, value, grammar)
        case ["struct"]:
            return _struct_test(path, op, value, grammar)
        case ["list"] if op == ":" and not rest:
            return lambda item: value in _list(item.get(camel(path[0])))
        case ["has"] if op == ":" and value == "*" and not rest:
            return lambda item: item.get(camel(path[0])) is not None
    if op not in operators or rest:
        raise _invalid(f"Invalid filter: {'.'.join(path)!r} does not take {op!r}.")
    keys = [camel(part) for part in path]
    return _scalar_test(keys, op, value, _type_at(message, keys), grammar)


def _map_test(path: list[str], op: str, value: str, grammar: Grammar) -> Test:
    """`labels.k = v`, `labels.k:*`, `labels:k`."""
    if len(path) == 1 and op == ":":
        return lambda item: value in _object(item.get(camel(path[0])))
    if len(path) != 2 or op not in ("=", "!=", ":"):
        raise _invalid(f"Invalid filter: {'.'.join(path)!r} does not take {op!r}.")

    def test(item: Object) -> bool:
        held = _object(item.get(camel(path[0]))).get(path[1])
        if op == ":" and value == "*":
            return held is not None
        return _text_matches(held or "", "=" if op == ":" else op, value, grammar)

    return test


def _struct_test(path: list[str], op: str, value: str, grammar: Grammar) -> Test:
    """`metadata.f.number_value = 10.0`: of another kind of value, it does not hold."""
    if len(path) != 3 or path[2] not in _STRUCT_KINDS or op == ":":
        raise _invalid(f"Invalid filter: {'.'.join(path)!r} names no kind of value, such as string_value.")
    wanted = _of_kind(path[2], value)

    def test(item: Object) -> bool:
        held = _object(item.get(camel(path[0]))).get(path[1])
        match path[2], held:
            case "string_value", str() if isinstance(wanted, str):
                return _text_matches(held, op, wanted, grammar)
            case ("number_value", int() | float()) | ("bool_value", bool()):
                numeric = path[2] == "number_value"
                return isinstance(held, bool) is not numeric and _holds(held, op, wanted)
            case _:
                return False

    return test


def _of_kind(kind: str, value: str) -> float | bool | str:
    try:
        match kind:
            case "number_value":
                return float(value)
            case "bool_value":
                return {"true": True, "false": False}[value]
            case _:
                return value
    except (ValueError, KeyError):
        raise _invalid(f"Invalid filter: {value!r} is no {kind}.") from None


def _scalar_test(keys: list[str], op: str, value: str, type_: FieldType, grammar: Grammar) -> Test:
    if isinstance(type_, Enumeration):
        if value not in type_.names:
            raise _invalid(f"Invalid filter: {value!r} is no value of {keys[-1]!r}.")
        return lambda item: _holds(_at(item, keys) or type_.names[0], op, value)
    if getattr(type_, "name", "") == "timestamp":
        if op == ":":
            return lambda item: _at(item, keys) is not None
        wanted = _moment(value)

        def of_time(item: Object) -> bool:
            held = _at(item, keys)
            return isinstance(held, str) and _holds(_moment(held), op, wanted)

        return of_time
    if op in _ORDERED:
        return lambda item: isinstance(held := _at(item, keys), str) and _holds(held, op, value)
    return lambda item: _text_matches(_at(item, keys) or "", op, value, grammar)


def _text_matches(held: JSON, op: str, value: str, grammar: Grammar) -> bool:
    text = held if isinstance(held, str) else ""
    if op in _ORDERED:
        return _holds(text, op, value)
    flags = re.DOTALL | (re.IGNORECASE if grammar.fold_case else 0)
    wild = op == ":" or grammar.wild_equals
    pattern = ".*".join(map(re.escape, value.split("*"))) if wild else re.escape(value)
    equal = re.fullmatch(pattern, text, flags) is not None
    return equal is (op != "!=")


def _holds(held: JSON | int, op: str, wanted: JSON | int) -> bool:
    if not isinstance(held, int | float | str) or not isinstance(wanted, int | float | str):
        return False
    match op:
        case "=" | ":":
            return held == wanted
        case "!=":
            return held != wanted
        case "<" | "<=" if isinstance(held, str) is isinstance(wanted, str):
            return held < wanted or (op == "<=" and held == wanted)  # type: ignore[operator]  # of one kind
        case _:
            return held > wanted or (op == ">=" and held == wanted)  # type: ignore[operator]  # of one kind


def _moment(text: str) -> int:
    """RFC 3339, with an offset or Z, as nanoseconds; a date alone is its midnight."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d))?", text)
    if found is None:
        raise _invalid(f"Invalid filter: {text!r} is no time in RFC 3339.")
    moment = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00:00'}{found[4] or 'Z'}")
    whole = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return whole * 10**9 + int((found[3] or "0").ljust(9, "0"))


def _type_at(message: Message, keys: list[str]) -> FieldType:
    found: FieldType = message
    for key in keys:
        inner = found.fields.get(key) if isinstance(found, Message) else None
        if inner is None:
            raise _invalid(f"Invalid filter: {message.name} has no field {'.'.join(keys)!r}.")
        found = inner
    return found


def _at(item: Object, keys: list[str]) -> JSON:
    found: JSON = item
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _object(value: JSON) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


def _invalid(message: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", message)
