"""The last net below secrets: whatever is printed or kept passes through it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TextIO
from urllib.parse import quote, quote_plus

from sqlprovider.errors import OperationalError
from sqlprovider.surfaces.deploy.model import Secret
from sqlprovider.surfaces.deploy.render import SECRET
from sqlprovider.values import JSON

_SHORTEST = 3
"""A shorter text would blot out words; a field that is secret is hidden by what it is, not by its text."""


class Mask:
    """Hides the values of secrets in texts, in each form in which a message may hold them."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        found = {form for secret in secrets for text in _texts(secret.value) for form in _forms(text)}
        self._forms = sorted((form for form in found if len(form) >= _SHORTEST), key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without secrets."""
        for form in self._forms:
            text = text.replace(form, SECRET)
        return text

    def value(self, value: JSON) -> JSON:
        """JSON without secrets, in its texts and in its keys."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(item) for item in value]
            case dict():
                return {self.text(key): self.value(item) for key, item in value.items()}
            case _:
                return value


class MaskedStream:
    """A text stream that hides what is secret in each text written.

    That its reader has gone (`| head`) neither stops what is sent nor changes the exit code; any other
    failure to write is an OperationalError.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.mask = Mask()

    def write(self, text: str) -> int:
        try:
            self._stream.write(self.mask.text(text))
            self._stream.flush()
        except OSError as error:
            self._drop()
            if not isinstance(error, BrokenPipeError):
                raise OperationalError(
                    f"cannot write the output: {error.strerror}", reason="output"
                ) from error
        return len(text)

    def _drop(self) -> None:
        """What is still to be written goes nowhere, so that Python's last flush does not fail too."""
        with suppress(OSError, ValueError):  # a stream without a descriptor
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, self._stream.fileno())
            os.close(sink)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()


def _texts(value: JSON) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            for item in value.values():
                yield from _texts(item)
        case bool() | None:
            return
        case _:
            yield str(value)


def _forms(text: str) -> Iterator[str]:
    stripped = text.strip()
    for form in (text, stripped):
        yield form
        yield json.dumps(form)[1:-1]
        yield json.dumps(form, ensure_ascii=False)[1:-1]
        yield repr(form)[1:-1]
        yield quote(form, safe="")
        yield quote_plus(form)
