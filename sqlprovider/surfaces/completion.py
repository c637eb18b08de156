"""Names to go on with, out of the catalog: no request is made for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

if TYPE_CHECKING:
    from sqlprovider.session import Session

_KEYWORD_TEXT = (
    "SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET JOIN LEFT USING ON AS AND OR NOT IN IS NULL LIKE "
    "BETWEEN "
    "DISTINCT WITH VALUES INSERT INTO UPDATE SET DELETE RETURNING EXEC EXPLAIN ANALYZE DESCRIBE EXTENDED "
    "SHOW "
    "PROVIDERS SERVICES RESOURCES METHODS COLUMNS USE BEGIN COMMIT ROLLBACK CREATE TEMP VIEW TABLE CASE "
    "WHEN THEN "
    "ELSE END CAST DESC ASC UNION ALL count sum avg min max"
)
_KEYWORDS = tuple(_KEYWORD_TEXT.split())
_PART = r'(?:[A-Za-z_][\w-]*|"[^"]*")'
_BEFORE_CURSOR = re.compile(rf"((?:{_PART}\.)*)(\w*)$")
_RESOURCE = re.compile(rf"({_PART})\.({_PART})\.({_PART})(?:\s+(?:AS\s+)?({_PART}))?", re.IGNORECASE)
_SHORTEST = 2


class NameCompleter(Completer):
    """Connections, services, resources, methods, columns and keywords."""

    def __init__(self, session: Session, dot_commands: Iterable[str] = ()) -> None:
        self._session = session
        self._dot_commands = tuple(dot_commands)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        before = document.text_before_cursor
        if re.fullmatch(r"\.\w*", before):
            yield from _matching(before, self._dot_commands)
            return
        found = _BEFORE_CURSOR.search(before)
        if found is None:
            return
        path = tuple(part.strip('"') for part in re.findall(_PART, found[1]))
        if not path and len(found[2]) < _SHORTEST and not complete_event.completion_requested:
            return
        words = self._below(path, document.text) if path else self._anywhere(document.text)
        yield from _matching(found[2], words)

    def _anywhere(self, text: str) -> Iterator[str]:
        yield from self._session.completion_words(())
        for resource in _resources_of(text).values():
            yield from self._session.completion_words(resource)
        yield from _KEYWORDS

    def _below(self, path: tuple[str, ...], text: str) -> Iterator[str]:
        if len(path) == 1 and (resource := _resources_of(text).get(path[0].lower())) is not None:
            yield from self._session.completion_words(resource)
        yield from self._session.completion_words(path)


def _resources_of(text: str) -> dict[str, tuple[str, ...]]:
    """Alias and last name → the resource, for each `a.b.c` of the text."""
    found: dict[str, tuple[str, ...]] = {}
    for match in _RESOURCE.finditer(text):
        *parts, alias = (part.strip('"') if part is not None else None for part in match.groups())
        resource = tuple(part for part in parts if part is not None)
        found[resource[-1].lower()] = resource
        if alias is not None and alias.upper() not in _KEYWORDS:
            found[alias.lower()] = resource
    return found


def _matching(prefix: str, words: Iterable[str]) -> Iterator[Completion]:
    lowered = prefix.lower()
    for word in dict.fromkeys(words):
        if word.lower().startswith(lowered) and word != prefix:
            yield Completion(word, start_position=-len(prefix))
