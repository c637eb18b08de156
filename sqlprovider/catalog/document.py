"""The shape of provider documents: every word of the YAML format, and nothing else defines it.

`provider.yaml` is a ProviderDocument, each `<service>.yaml` a ServiceDocument. What one word means for
another (a parameter that is a column, a parent that exists) is checked in `check.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
)

from sqlprovider.catalog.model import Place, Verb, Wire
from sqlprovider.catalog.spelling import (
    Direction,
    HttpText,
    Names,
    PathText,
    Regex,
    RowsText,
    SnakeCase,
    columns_alone,
    name_alone,
    parameter_alone,
    same_name,
    style_alone,
    type_alone,
    url_alone,
)
from sqlprovider.errors import nearest
from sqlprovider.values import JSON, Op, Type

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class _Document(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ColumnDocument(_Document):
    """A field of the item, or of the answer around the rows."""

    type: Type = Type.TEXT
    path: PathText | None = None
    segment: str | None = None
    wire: Wire = Wire.PLAIN
    key_names: tuple[str, str] = ("key", "value")
    zero_is_null: bool = False
    absent: JsonValue = None
    infinite: float | None = None
    sort: str | None = None
    keep: tuple[str, ...] = ()
    enum: tuple[str, ...] = ()
    numeric_keys: bool = True
    set_key: str | None = None
    delete_key: str | None = None
    header: str | None = None
    hidden: bool = False
    present: dict[str, str] = {}
    secret: bool = False
    write_only: bool = False


class RowParameterDocument(ColumnDocument):
    """A parameter that identifies the row: the first columns."""

    root: bool = False
    pattern: Regex | None = None


class ParameterDocument(_Document):
    """What a method takes. What is left out is taken from the column of its name."""

    type: Type | None = None
    required: bool = False
    place: Place | None = Field(default=None, alias="in")
    at: PathText | None = None
    wire: str | None = None
    wire_name: str | None = None
    key_names: tuple[str, str] | None = None
    enum: tuple[str, ...] | None = None
    default: JsonValue = None
    repeated: bool = False
    join: Literal["multi", "comma", "json"] = "multi"
    slashes: bool = False
    min_chars: int = Field(default=0, ge=0)
    max_chars: int | None = Field(default=None, gt=0)
    pattern: Regex | None = None
    several: str | None = None
    column: str | None = Field(default=None, alias="is")
    names: str | None = None
    secret: bool = False

    @property
    def encoding(self) -> Wire | None:
        """`wire`, where it says how the value travels."""
        return Wire(self.wire) if self.wire in set(Wire) else None

    @property
    def api_name(self) -> str | None:
        """`wire_name`; `wire: opc-retry-token` says the same."""
        return self.wire_name if self.wire_name or self.encoding else self.wire


class PagesDocument(_Document):
    """How a list goes on."""

    style: Literal["token", "number", "header", "one", "cap"]
    parameter: str | None = None
    token: PathText | None = None
    size: str | None = None
    size_max: int | None = Field(default=None, gt=0)
    total: PathText | None = None
    first: int = 1
    offset: bool = False
    bounds: tuple[str, ...] = ()


class TermDocument(_Document):
    """One field in a filter text."""

    name: str
    ops: Annotated[dict[Op, str], BeforeValidator(same_name)]
    value: Literal["string", "number", "bare"] = "string"
    forbidden: str = ""
    key_forbidden: str = ""
    exact: bool = False


class FilterDocument(_Document):
    """A filter text that a method takes."""

    parameter: str
    terms: dict[str, TermDocument]
    conjunction: str = " AND "
    quotes: tuple[str, ...] = ("'",)
    escape: Literal["none", "backslash", "double"] = "none"
    forbidden: str = ""


class OrderDocument(_Document):
    """An order that a method takes."""

    parameter: str
    columns: Names = {}
    exact: dict[str, tuple[Direction, ...]] = {}
    stable: tuple[str, ...] = ()
    directions: tuple[str, str] = ("ASC", "DESC")
    as_list: bool = False
    keys: Names = {}
    key_forbidden: str = ""


class FieldsDocument(_Document):
    """A text that names the fields wanted."""

    parameter: str
    template: str = "{names}"
    separator: str = ","
    always: tuple[str, ...] = ()


class PushDocument(_Document):
    """What of a SELECT a method can do itself."""

    filter: FilterDocument | None = None
    order: OrderDocument | None = None
    equals: Names = {}
    fields: Annotated[FieldsDocument, BeforeValidator(parameter_alone)] | None = None


class TreeDocument(_Document):
    """A list whose directories are listed in turn."""

    flag: str
    parameter: str
    column: str


class QuotaDocument(_Document):
    """How many calls of one scope the API takes; calls of the same scope are counted together."""

    scope: SnakeCase | None = None
    per_minute: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    concurrency: int | None = Field(default=None, gt=0)


class LimitsDocument(QuotaDocument):
    """… of a provider or a service; `read` and `write` where those are counted apart from the others."""

    read: QuotaDocument | None = None
    write: QuotaDocument | None = None


class BatchDocument(_Document):
    """How many rows of a method go out as one call: of `method`, by `http`, else of the method itself."""

    method: str | None = None
    http: HttpText | None = None
    body: JsonValue = None
    rows: RowsText | None = None
    max_rows: int = Field(gt=0)
    max_bytes: int | None = Field(default=None, gt=0)
    atomic: bool = False
    names_row: Regex | None = None


class MethodDocument(_Document):
    """One call of the API."""

    verb: Verb
    http: HttpText
    title: str = ""
    wire_name: str | None = Field(default=None, validation_alias=AliasChoices("wire_name", "wire"))
    effect: Literal["read", "write"] | None = None
    parameters: dict[str, Annotated[ParameterDocument, BeforeValidator(type_alone)]] = {}
    body_columns: tuple[str, ...] = ()
    body: JsonValue = None
    rows: RowsText | None = None
    optional_rows: bool = True
    pages: Annotated[PagesDocument, BeforeValidator(style_alone)] | None = None
    push: PushDocument = PushDocument()
    tree: TreeDocument | None = None
    batch: BatchDocument | None = None
    wait: bool = False
    missing: bool | tuple[str, ...] = False
    repeat: Literal["never", "always", "same_body"] = "never"
    mask: str | None = None
    mask_columns: Names | None = None
    sets: tuple[str, ...] | None = None
    precondition: str | None = None
    answers: Literal["item"] | dict[str, PathText] = {}
    headers: dict[str, str] = {}
    incomplete: PathText | None = None
    read_first: bool = False
    ordered: tuple[str, ...] = ()
    overwrites: bool = False
    limits: QuotaDocument | None = None

    @property
    def http_method(self) -> str:
        """`POST` of `POST /api/runs`."""
        return self.http.partition(" ")[0]

    @property
    def path(self) -> str:
        """`/api/runs` of `POST /api/runs`."""
        return self.http.partition(" ")[2]

    @property
    def reads(self) -> bool:
        """Whether it changes nothing: what `effect` says, else GET reads and anything else writes."""
        return (self.effect or ("read" if self.http_method in ("GET", "HEAD") else "write")) == "read"


class ViewDocument(_Document):
    """Which rows are live, and the option that widens them."""

    option: str
    default: str
    values: dict[str, tuple[str, ...] | None]
    path: PathText | None = None
    column: str | None = None


class DropDocument(_Document):
    """Items that are no rows."""

    path: PathText
    values: tuple[str, ...] = Field(min_length=1)
    key: str | None = None
    unless: str | None = None


class ParentDocument(_Document):
    """Where missing parameters are found. Without `bind`: the parameters that both resources have."""

    resource: str
    bind: Names | None = None
    view: dict[str, str] | str = {}
    confirm: bool = False


class IdentityDocument(_Document):
    """The columns that tell an object from others for people; a list of them says the same."""

    columns: tuple[str, ...] = Field(min_length=1)
    unique: bool = False


def _seconds(value: object) -> object:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a time is a number and its unit: 90s, 30m, 24h or 7d")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])")
Duration = Annotated[float, BeforeValidator(_seconds)]


class FinishedDocument(_Document):
    """Objects that hardly change any more: those with one of `values` in `column`."""

    column: str
    values: tuple[str, ...] = Field(min_length=1)
    keep: Duration


class ResourceDocument(_Document):
    """One table."""

    title: str = ""
    key: tuple[str, ...] = ()
    view: ViewDocument | None = None
    drop: DropDocument | None = None
    parents: tuple[Annotated[ParentDocument, BeforeValidator(name_alone)], ...] = ()
    parameters: dict[str, Annotated[RowParameterDocument, BeforeValidator(type_alone)]] = {}
    columns: dict[str, Annotated[ColumnDocument, BeforeValidator(type_alone)]] = {}
    response: dict[str, Annotated[ColumnDocument, BeforeValidator(type_alone)]] = {}
    refuses: dict[Verb, str] = {}
    identity: Annotated[IdentityDocument, BeforeValidator(columns_alone)] | None = None
    restore: str | None = None
    finished: FinishedDocument | None = None
    methods: dict[SnakeCase, MethodDocument] = Field(min_length=1)


class ServiceHead(_Document):
    """What a service document says beside its resources."""

    service: SnakeCase
    title: str = ""
    version: str
    versions: tuple[str, ...] = ()
    source: str = ""
    base_url: str | None = None
    global_url: str | None = None
    endpoints: dict[str, str] = {}
    headers: dict[str, str] = {}
    limits: LimitsDocument | None = None


class ServiceDocument(ServiceHead):
    """`<service>.yaml`: a group of resources."""

    resources: Mapping[SnakeCase, ResourceDocument] = Field(min_length=1)


class CompiledServiceDocument(ServiceHead):
    """`<service>.yaml` over compiled facts, a file a version; `resources` are laid over them (`facts.py`)."""

    facts: dict[str, str] = Field(min_length=1)
    resources: dict[str, JsonValue] = {}


class BaseUrlDocument(_Document):
    """The address: of the vendor, or from an environment variable."""

    url: str | None = None
    env: str | None = None


class AuthDocument(_Document):
    """The auth types there are; without `default`, credentials must be found."""

    types: tuple[str, ...] = Field(min_length=1)
    default: str | None = None
    found: tuple[str, ...] = ()


class OtherErrorDocument(_Document):
    """Another shape of an error's body."""

    code: PathText
    message: PathText


class ErrorsDocument(_Document):
    """How the API says what went wrong."""

    code: PathText
    message: PathText
    others: tuple[OtherErrorDocument, ...] = ()
    denied: tuple[str, ...] = ()
    throttled: tuple[str, ...] = ()
    request_id_at: tuple[PathText, ...] = ()
    retry_after: tuple[str, ...] = ("Retry-After",)
    missing: tuple[str, ...] = ()
    exists: tuple[str, ...] = ()
    request_id: tuple[str, ...] = ("x-request-id",)


class WaitDocument(_Document):
    """How a long-running operation is asked for."""

    path: str
    name: PathText = ("name",)
    done: PathText = ("done",)
    error: PathText = ("error",)
    result: PathText = ("response",)


class ProviderDocument(_Document):
    """`provider.yaml`: one platform."""

    provider: SnakeCase
    title: str = ""
    services: tuple[SnakeCase, ...] = Field(min_length=1)
    base_url: Annotated[BaseUrlDocument, BeforeValidator(url_alone)] = BaseUrlDocument()
    auth: AuthDocument = AuthDocument(types=("none",))
    errors: ErrorsDocument
    wait: WaitDocument | None = None
    limits: LimitsDocument | None = None


Shape = TypeVar("Shape", bound=_Document)


class Fault(NamedTuple):
    """Something wrong in a document: the keys that lead there, and what it is."""

    at: tuple[str | int, ...]
    message: str

    @property
    def pointer(self) -> str:
        """`at` as a JSON pointer."""
        return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in self.at)


def validate(shape: type[Shape], data: JSON) -> Shape | tuple[Fault, ...]:
    """The document, or everything that is wrong about its shape."""
    try:
        return shape.model_validate(data)
    except ValidationError as exc:
        return tuple(_fault(error, data) for error in exc.errors(include_url=False))


def _fault(error: ErrorDetails, data: JSON) -> Fault:
    location = tuple(key for key in error["loc"] if key != "[key]")
    return Fault(_as_far_as_it_goes(location, data), _explain(error, str(location[-1]) if location else ""))


def _as_far_as_it_goes(location: tuple[str | int, ...], data: JSON) -> tuple[str | int, ...]:
    """The part of a location that stands in the document: a missing word does not."""
    value = data
    for depth, key in enumerate(location):
        match value, key:
            case dict(), str() if key in value:
                value = value[key]
            case list(), int():
                value = value[key]
            case _:
                return location[:depth]
    return location


def _explain(error: ErrorDetails, word: str) -> str:
    given = error["input"]
    match error["type"]:
        case "extra_forbidden":
            close = nearest(word, sorted(words()), count=1)
            return f"unknown word {word!r}{f'; did you mean {close[0]}?' if close else ''}"
        case "missing":
            return f"{word!r} is missing"
        case "string_type" if isinstance(given, bool | int | float):
            return f"text is wanted here and YAML reads {given!r}: put it in quotes"
        case "value_error":
            return error["msg"].removeprefix("Value error, ")
        case _:
            return error["msg"]


@cache
def words() -> frozenset[str]:
    """Every word of the format."""
    shapes: list[type[BaseModel]] = list(_Document.__subclasses__())
    shapes += [below for shape in shapes for below in shape.__subclasses__()]
    return frozenset(field.alias or name for shape in shapes for name, field in shape.model_fields.items())
