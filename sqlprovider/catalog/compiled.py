"""Compiled providers: checked and built once, then read from a file of the user's cache folder.

A file is of the very documents that it was made of, or it is not used: its key holds their sizes, times and
inodes, those of the code that made it, the versions asked for and the Python. What cannot be read, is damaged
or might be somebody else's is made anew without a word, and where nothing can be written nothing is.
"""

from __future__ import annotations

import io
import os
import pickle
import stat
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeAlias, cast

from sqlprovider import values
from sqlprovider.catalog import model, push
from sqlprovider.catalog.model import Provider, Resource, Resources, Summary
from sqlprovider.errors import CatalogError

Stamp: TypeAlias = tuple[tuple[str, int, int, int, int], ...]
"""Of each file: name, size, time of its contents, time of its inode, inode."""
Versions: TypeAlias = tuple[tuple[str, str], ...]
_Span: TypeAlias = tuple[int, int]
"""Where in the body a pickle stands: start and end."""

CACHE_VARIABLE = "SQLPROVIDER_CACHE_DIR"
_HEAD = struct.Struct("<8sLLL")
"""A magic word, the checksum of all that follows, the lengths of key and index. Then key, index and body."""
_SUMMED = struct.calcsize("<8sL")
"""Where that begins of which there is a checksum."""
_MAGIC = b"sqlprov\x01"
_SETTLED_NS = 2_000_000_000


def stamp_of(files: Iterable[Path]) -> Stamp:
    """What tells one state of the files from another, without reading them. Raises OSError.

    Whatever changes a file's contents sets the time of its inode, which no program can choose.
    """
    found = [(str(file), file.stat()) for file in sorted(files)]
    return tuple((name, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for name, s in found)


def open_compiled(
    folder: Path,
    versions: Versions,
    stamp: Stamp,
    build: Callable[[], Provider],
    *,
    now: Callable[[], int] = time.time_ns,
) -> Provider:
    """The provider of the folder's documents, which are at `stamp`: from its compiled file, else `build()`.

    Raises what `build` raises.
    """
    here = Path(__file__).parent
    code = stamp_of([*here.glob("*.py"), Path(values.__file__)])
    key = repr((str(folder), versions, stamp, code, sys.implementation.cache_tag)).encode()
    name = f"{folder.name}-{zlib.crc32(repr((str(folder), versions)).encode()):08x}.bin"
    if (found := _read(name, key)) is not None:
        return found
    # What is so new that it may change again within one tick of the file system's clock is not kept.
    is_settled = max(max(times) for _, _, *times, _ in (*stamp, *code)) < now() - _SETTLED_NS
    built = build()
    if is_settled:
        # There may be no home, and what is wrong with a resource is said when it is asked for.
        with suppress(OSError, RuntimeError, CatalogError):
            _write(name, _dump(key, built))
    return built


def _folder() -> Path:
    if given := os.environ.get(CACHE_VARIABLE):
        return Path(given) / "catalog"
    import platformdirs  # noqa: PLC0415  whoever names the folder does without it

    return platformdirs.user_cache_path("sqlprovider", appauthor=False) / "catalog"


def _is_ours(status: os.stat_result) -> bool:
    """Whether nobody else can have written there. Windows keeps the user's folders to the user itself."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(name: str, key: bytes) -> Provider | None:
    """The provider in the file of that name, if it is whole, ours, and of that key."""
    try:
        folder = _folder()
        if not _is_ours(folder.lstat()):
            return None
        with open(folder / name, "rb", opener=_open_plain) as file:
            data = file.read() if _is_ours(os.fstat(file.fileno())) else b""
    except (OSError, RuntimeError):
        return None
    if len(data) < _HEAD.size:
        return None
    magic, checksum, key_size, index_size = _HEAD.unpack_from(data)
    rest = memoryview(data)[_HEAD.size :]
    if magic != _MAGIC or rest[:key_size] != key or checksum != zlib.crc32(memoryview(data)[_SUMMED:]):
        return None
    index, body = rest[key_size : key_size + index_size], rest[key_size + index_size :]
    try:
        return cast(Provider, _Loader(io.BytesIO(index), body).load())
    except pickle.UnpicklingError:
        return None


def _write(name: str, data: bytes) -> None:
    """Puts a file there as a whole or not at all. Raises OSError."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_ours(folder.lstat()):
        return
    draft = folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
    try:
        with open(draft, "xb", opener=_open_plain) as file:
            file.write(data)
        draft.replace(folder / name)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _open_plain(path: str, flags: int) -> int:
    """Opens a file that others cannot read, through no link."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _dump(key: bytes, provider: Provider) -> bytes:
    """What a file holds: key and provider, and in the body each resource by itself."""
    index, body = io.BytesIO(), io.BytesIO()
    _Dumper(index, body).dump(provider)
    rest = key + index.getvalue() + body.getvalue()
    sizes = len(key), index.tell()
    checksum = zlib.crc32(_HEAD.pack(b"", 0, *sizes)[_SUMMED:] + rest)
    return _HEAD.pack(_MAGIC, checksum, *sizes) + rest


class _Dumper(pickle.Pickler):
    """Pickles values by what makes them, and the resources of a service as the places where each stands."""

    def __init__(self, stream: io.BytesIO, body: io.BytesIO) -> None:
        super().__init__(stream, pickle.HIGHEST_PROTOCOL)
        shapes = (shape for module in (model, push, values) for shape in vars(module).values())
        self.dispatch_table = {
            shape: _called for shape in shapes if isinstance(shape, type) and is_dataclass(shape)
        }
        self._body = body

    def persistent_id(self, value: object) -> object:
        """For the resources of a service: name → span of each, and the span of their summaries."""
        if not isinstance(value, Resources):
            return None
        summaries = {name: value.summary(name) for name in value}
        return {name: self._span(value[name]) for name in value}, self._span(summaries)

    def _span(self, value: object) -> _Span:
        start = self._body.tell()
        _Dumper(self._body, self._body).dump(value)
        return start, self._body.tell()


def _called(value: object) -> tuple[type, tuple[object, ...]]:
    """A dataclass as the call that makes it, without the defaults at the end of it."""
    shape: type = type(value)
    arguments = [getattr(value, field.name) for field in _arguments_of(shape)]
    defaults = _defaults_of(shape)
    while arguments and _is_same(arguments[-1], defaults[len(arguments) - 1]):
        arguments.pop()
    return shape, tuple(arguments)


@cache
def _arguments_of(shape: type) -> tuple[Field[object], ...]:
    return tuple(field for field in fields(shape) if field.init)


@cache
def _defaults_of(shape: type) -> tuple[object, ...]:
    return tuple(
        field.default if field.default_factory is MISSING else field.default_factory()
        for field in _arguments_of(shape)
    )


def _is_same(value: object, default: object) -> bool:
    return type(value) is type(default) and value == default


class _Loader(pickle.Unpickler):
    """Makes values of the catalog's own shapes, and each resource at its first use."""

    def __init__(self, stream: io.BytesIO, body: memoryview) -> None:
        super().__init__(stream)
        self._body = body

    def persistent_load(self, pid: object) -> Resources:
        """The resources of a service."""
        spans, summaries_at = cast(tuple[dict[str, _Span], _Span], pid)

        @lru_cache(maxsize=1)
        def summaries() -> dict[str, Summary]:
            return cast(dict[str, Summary], self._at(summaries_at))

        def open_(name: str) -> Resource:
            return cast(Resource, self._at(spans[name]))

        return Resources(spans, open_, lambda name: summaries()[name])

    def find_class(self, module: str, name: str) -> type:
        """The class of that name. Raises UnpicklingError for anything that is no shape of the catalog's."""
        if module == values.__name__ or module.startswith(f"{__package__}."):
            found = super().find_class(module, name)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, Enum)):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no shape of the catalog's")

    def _at(self, span: _Span) -> object:
        start, end = span
        return _Loader(io.BytesIO(self._body[start:end]), self._body).load()
