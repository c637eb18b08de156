"""What exists, as frozen values: Provider → Service → Resource → Method → Parameter, and Column.

`document.py` is the shape of the files, `load.py` turns one into the other; from there on everything trusts
these values. Mappings are plain dicts that nobody changes. Paths into JSON are tuples of keys; in a document
they are written `info.run_id`, and `^` is the item one list further out (`^.info.run_id`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from sqlprovider.catalog.push import Push
from sqlprovider.catalog.quota import Quota
from sqlprovider.values import JSON, Name, Type

Path = tuple[str, ...]
ITSELF: Path = (".",)
"""The path of the item itself, where the rows are plain texts or numbers."""
CACHED_AT = "cached_at"
"""The column of every resource that says when a row's page was asked for, if an earlier statement did."""


class Verb(StrEnum):
    """What SQL wants of a method."""

    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    EXEC = "EXEC"


class Role(StrEnum):
    """Where a column's value comes from."""

    PARAMETER = "parameter"  # identifies the row; comes back on every row
    ITEM = "item"  # a field of the row's item
    RESPONSE = "response"  # a field of the answer around the rows (hidden)
    OPTION = "option"  # an optional parameter of a method (hidden)
    CACHE = "cache"  # whether the row's page was kept from an earlier statement (hidden)


class Wire(StrEnum):
    """How a value travels where JSON's own form does not say it."""

    PLAIN = "plain"
    INT64 = "int64"  # an integer as a JSON string; sent so, read either way
    EPOCH_MS = "epoch_ms"  # DATETIME as milliseconds since 1970
    RFC3339 = "rfc3339"  # DATETIME as 2026-01-02T03:04:05Z
    KEY_VALUE = "key_value"  # JSON object as a list of {key, value}
    NUMBER = "number"  # REAL whose NaN and ±Infinity are the strings "NaN", "Infinity", "-Infinity"
    RAW = "raw"  # the whole body: a text or a BLOB as it is
    NUMBER_TEXT = "number_text"  # TEXT: which of NaN, Infinity, -Infinity, else the number as text


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a resource, in table order."""

    name: str
    type: Type
    role: Role
    hidden: bool = False
    path: Path = ()
    """Where in the item (PARAMETER, ITEM) or the answer (RESPONSE) it is; `()`: not there (an echo)."""
    segment: str | None = None
    """The value is the path segment after this one in the text at `path` (`runs` in `…/runs/r1`)."""
    wire: Wire = Wire.PLAIN
    key_names: tuple[str, str] = ("key", "value")
    """For `Wire.KEY_VALUE`: the wire names of key and value."""
    zero_is_null: bool = False
    """The API writes 0 or "" where it means nothing (an `end_time` of 0)."""
    absent: JSON = None
    """What it is where the object that would hold it is there and it is not: an API that leaves out zeros."""
    infinite: float | None = None
    """A number at or beyond ±this is ±Infinity (a store that cannot hold it)."""
    sort: str | None = None
    """For JSON: the list is put in the order of this field (methods answer in different orders)."""
    keep: tuple[str, ...] = ()
    """For JSON: only these keys of the object are the value (some methods answer with more); empty: all."""
    enum: tuple[str, ...] = ()
    whole_item: bool = False
    """`item_`: the whole item as JSON."""
    numeric_keys: bool = True
    """For JSON: values under its keys are numbers; False: text, and comparing them to a number warns."""
    set_key: str | None = None
    """For a map changed key by key: the method that sets one key (parameters `key`, `value`)."""
    delete_key: str | None = None
    """… and the one that deletes one key (parameter `key`)."""
    header: str | None = None
    """The value is this header of the answer, where the answer is one object; NULL in a list."""
    present: Mapping[str, str] = field(default_factory=dict)
    """Key → text: the value is the text of the first of these keys that the item has."""
    secret: bool = False
    """It is in no message, plan or journal."""
    write_only: bool = False
    """The API takes it and never answers with it."""


class Place(StrEnum):
    """Where in a request a parameter goes."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a method takes. `name` is the SQL name (an identifier), `wire_name` the API's."""

    name: str
    wire_name: str
    place: Place
    type: Type = Type.TEXT
    required: bool = False
    column: str | None = None
    """The column that holds it: its name, or `name_` where an item field has the name. None: EXEC only."""
    at: Path = ()
    """For BODY: where in the body; `()` where the body's template places it. Default: the wire name."""
    default: JSON = None
    """Sent when nothing is given. `now()`: the statement's time; `token()`: a random text, one a call."""
    enum: tuple[str, ...] = ()
    wire: Wire = Wire.PLAIN
    key_names: tuple[str, str] = ("key", "value")
    repeated: bool = False
    """A list on the wire; a scalar given is sent as a list of one."""
    join: Literal["multi", "comma", "json"] = "multi"
    """A list in the query: the parameter repeated, comma-joined, or as JSON."""
    slashes: bool = False
    """For PATH: it stands for several segments; its `/` stay, and what is between them is quoted."""
    root: bool = False
    """Never found by a walk: given by the statement or by the connection's `defaults`."""
    min_chars: int = 0
    """A shorter text is refused before sending: the API would forget it silently."""
    max_chars: int | None = None
    """A longer text is refused before sending: the API would cut it off silently."""
    pattern: str | None = None
    """For a read: what does not match it as a whole names nothing, and is not asked for. Writes send it."""
    several: str | None = None
    """The parameter that takes several values of it, joined by commas: as many as a page has rows."""
    names: str | None = None
    """For an INSERT: it is the id that the client chooses, and becomes the value of this column."""
    secret: bool = False
    """It is in no message, plan or journal."""


@dataclass(frozen=True, slots=True)
class Pages:
    """How a list goes on.

    token: the token at `token` of the answer is sent as `parameter` until it is absent or empty.
    number: `parameter` counts from `first`; `total` tells how many rows there are.
    header: the header `token[0]` of the answer is sent as `parameter`.
    one: the whole list is in one answer.
    cap: the answer holds at most `size_max` rows (sent as `size`) and never says whether there are more.
    """

    style: Literal["token", "number", "header", "one", "cap"]
    parameter: str | None = None
    token: Path = ()
    size: str | None = None
    size_max: int | None = None
    total: Path = ()
    first: int = 1
    offset: bool = False
    """The tokens are offsets: rows shift when some are added, so repeated keys are dropped."""
    bounds: tuple[str, ...] = ()
    """For a cap: the parameters that make the answer smaller."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A list whose directories are listed in turn: items with `flag` true, by `parameter` = `column`."""

    flag: str
    parameter: str
    column: str


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """How many rows of one method go out as one call."""

    call: Method
    """The call. In its body's template each list of one element with arguments is filled, an element for each
    distinct combination of the arguments outside deeper such lists; what stands outside lists is shared."""
    max_rows: int
    max_bytes: int | None = None
    """Of the body."""
    atomic: bool = False
    """A call that is refused has accepted none of its rows."""
    names_row: str | None = None
    """A regular expression over an error's text; its group is the number, from 0, of the row it blames."""


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """One call of the API."""

    name: str
    wire_name: str
    verb: Verb
    effect: Literal["read", "write"]
    http_method: str
    path: str
    """`/api/…/{projectsId}/runs`: one `{parameter}` a placeholder."""
    parameters: Mapping[str, Parameter]
    rows: Path | None = None
    """Where in the answer the rows are; a segment that ends in `[]` is a list. None: the answer is the item.

    `("runs[]", "data", "metrics[]")`; `("run",)` is one row."""
    optional_rows: bool = True
    """An absent list means no rows. False: its absence is a DataError."""
    plain_rows: bool = False
    """The rows may be texts or numbers, not only objects."""
    body: JSON = None
    """The body's template: `$name` is replaced by an argument or, where that is unset, left out with its key.
    None: BODY parameters placed by `Parameter.at`; False: there is never a body."""
    pages: Pages | None = None
    push: Push = field(default_factory=Push)
    tree: Tree | None = None
    batch: Batch | None = None
    wait: bool = False
    """The answer is a long-running operation."""
    missing: bool = False
    """The API's own not-found answer means: no such row (get, update, delete) or parent (list)."""
    missing_codes: tuple[str, ...] = ()
    """Codes that mean not-found for this method, besides the provider's."""
    repeat: Literal["never", "always", "same_body"] = "never"
    """Whether sending a write twice acts once."""
    mask: str | None = None
    """The parameter that names the fields an update sets; without it the columns that are set are named."""
    mask_columns: Mapping[str, str] = field(default_factory=dict)
    """Column → its name in the mask, for the columns the mask can name."""
    precondition: str | None = None
    """The column whose value, as the WHERE gives it or else as the row was read, goes along, so that the API
    refuses a row that changed meanwhile."""
    sets: tuple[str, ...] = ()
    """For UPDATE: the columns it can set."""
    answer_is_item: bool = False
    """For writes: the whole answer is the new item."""
    answers: Mapping[str, Path] = field(default_factory=dict)
    """For writes: column → where in the answer its new value is, beside those of an item at `rows`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that every request of it has."""
    incomplete: Path = ()
    """Where the answer lists what it could not reach: if anything is there, rows are missing."""
    read_first: bool = False
    """For UPDATE and DELETE: rows are always read before they are written."""
    ordered: tuple[str, ...] = ()
    """Rows with equal values in these columns are sent one after the other."""
    overwrites: bool = False
    """For INSERT: a row that exists is replaced, not refused."""
    quota: Quota | None = None  # None: its service's scope, of which nothing is known
    title: str = ""

    def __repr__(self) -> str:
        return f"Method({self.name!r})"

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the parameters without which it cannot be called."""
        return tuple(p.name for p in self.parameters.values() if p.required)

    @property
    def optional(self) -> tuple[str, ...]:
        """The names of the other parameters."""
        return tuple(p.name for p in self.parameters.values() if not p.required)


@dataclass(frozen=True, slots=True)
class View:
    """Which rows are live. Rows of every method are held against it, so that they are one row set."""

    option: str
    """The parameter that widens the view; methods that lack it are filtered here."""
    default: str
    path: Path
    """Where in the item the field is that tells (`info.lifecycle_stage`); `()`: as live as its parent."""
    values: Mapping[str, tuple[str, ...] | None]
    """Value of the option → the values of the field that it shows; None: every one."""
    column: str | None = None
    """The field's column, if it is one: asking for a value that the default hides warns."""

    @property
    def widest(self) -> str:
        """The value of the option that shows every row, if there is one."""
        return next((name for name, shown in self.values.items() if shown is None), self.default)


@dataclass(frozen=True, slots=True)
class Drop:
    """Items that are no rows, whichever method answers with them."""

    path: Path
    """Where in the item the value is that tells."""
    values: tuple[str, ...]
    """The values of an item that is no row."""
    key: str | None = None
    """The value is the one under this key of the key/value list at `path`."""
    unless: str | None = None
    """A statement that gives this option has asked for them."""


@dataclass(frozen=True, slots=True)
class Parent:
    """Where missing parameters are found: in the rows of another resource of the same connection."""

    service: str
    resource: str
    bind: Mapping[str, str]
    """Parameter → the parent's column."""
    view: Mapping[str, str] = field(default_factory=dict)
    """Value of this resource's view option → value of the parent's."""
    fixed_view: str | None = None
    """The value of the parent's view option, whatever this resource's own view is, also where it has none."""
    confirm: bool = False
    """A row counts only if its parent is in the parent's row set: it is asked even if all is bound."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells an object from others for people, beside its parents."""

    columns: tuple[str, ...]
    unique: bool = False
    """The API refuses a second one that is live."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Objects that hardly change any more: alone in an answer they may be kept longer than others."""

    path: Path
    """Where in the item the value is that tells."""
    values: tuple[str, ...]
    keep: float
    """Seconds, for who has a cache at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One table."""

    name: Name
    title: str
    columns: tuple[Column, ...]
    methods: Mapping[str, Method]
    key: tuple[str, ...] = ()
    """The columns that tell one row from every other; empty: rows may repeat."""
    view: View | None = None
    drop: Drop | None = None
    parents: tuple[Parent, ...] = ()
    refuses: Mapping[Verb, str] = field(default_factory=dict)
    """Verb that it has no method for → what to do instead."""
    identity: Identity | None = None
    restore: str | None = None
    """The method that makes a deleted row live again."""
    finished: Finished | None = None
    _by_name: Mapping[str, Column] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        named = {column.name.lower(): column for column in reversed(self.columns)}
        object.__setattr__(self, "_by_name", named)

    def __repr__(self) -> str:
        return f"Resource({str(self.name)!r})"

    def column(self, name: str) -> Column | None:
        """The column of that name, case-insensitively; None if there is none."""
        return self._by_name.get(name.lower())

    def method(self, name: str) -> Method | None:
        """The method of that snake_case or wire name, case-insensitively; None if there is none."""
        lowered = name.lower()
        return next(
            (m for m in self.methods.values() if lowered in (m.name.lower(), m.wire_name.lower())), None
        )

    def verb_methods(self, verb: Verb) -> tuple[Method, ...]:
        """The methods of one verb, in document order."""
        return tuple(method for method in self.methods.values() if method.verb is verb)

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """The verbs it has."""
        present = {method.verb for method in self.methods.values()}
        return tuple(verb for verb in Verb if verb in present)


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """How an API says what went wrong."""

    code: Path
    message: Path
    missing: tuple[str, ...] = ()
    """Codes that mean: no such object."""
    exists: tuple[str, ...] = ()
    """Codes that mean: exists already."""
    denied: tuple[str, ...] = ()
    """Codes that mean what 401 and 403 do, whatever the status; each stands for `code.…` too."""
    throttled: tuple[str, ...] = ()
    """Codes that mean what 429 does, likewise."""
    others: tuple[tuple[Path, Path], ...] = ()
    """Where else the code and the message may be."""
    request_id: tuple[str, ...] = ("x-request-id",)
    """Headers that may hold the request's id."""
    request_id_at: tuple[Path, ...] = ()
    """Where in the body it may be, where no header holds it."""
    retry_after: tuple[str, ...] = ("Retry-After",)
    """Headers that say how long to wait."""


@dataclass(frozen=True, slots=True)
class WaitShape:
    """How a long-running operation is asked for: `path` holds `{name}`; the rest are paths in the answer."""

    path: str
    name: Path = ("name",)
    done: Path = ("done",)
    error: Path = ("error",)
    result: Path = ("response",)


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a resource without opening it."""

    title: str
    methods: Mapping[str, Verb]

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """The verbs it has."""
        present = set(self.methods.values())
        return tuple(verb for verb in Verb if verb in present)


class Resources(Mapping[str, Resource]):
    """The resources of a service by name, each opened at its first use."""

    def __init__(
        self, names: Iterable[str], open_: Callable[[str], Resource], summarise: Callable[[str], Summary]
    ) -> None:
        self._opened: dict[str, Resource | None] = dict.fromkeys(names)
        self._open = open_
        self.summary = summarise

    def __getitem__(self, name: str) -> Resource:
        if (opened := self._opened[name]) is None:
            opened = self._opened[name] = self._open(name)
        return opened

    def __iter__(self) -> Iterator[str]:
        return iter(self._opened)

    def __len__(self) -> int:
        return len(self._opened)


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """A group of resources."""

    name: str
    version: str
    title: str
    resources: Resources
    base_url: str | None = None
    """The vendor's address; `{placeholders}` are path parameters or `{region}`. None: to be configured."""
    global_url: str | None = None
    """The vendor's address for methods that have not the path parameter in `base_url`."""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Value of the placeholder → address, where it is not what `base_url` makes of it."""
    versions: tuple[str, ...] = ()
    """The versions the configuration may choose; `{version}` in paths is the one in force."""
    quota: Quota | None = None  # that of polls


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """One platform, as its documents describe it; resource names carry the provider's own name."""

    name: str
    title: str
    services: Mapping[str, Service]
    errors: ErrorShape
    auth_types: tuple[str, ...] = ("none",)
    auth_default: str | None = None
    """The type taken when nothing is configured; None: credentials must be found."""
    auth_found: tuple[str, ...] = ()
    """The types whose credentials the vendor's own environment variables and files may hold."""
    base_url_env: str | None = None
    wait: WaitShape | None = None
