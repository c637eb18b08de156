"""`{{ … }}` in a text. There is no expression language: between the braces stands a name and nothing else.

`{{ name }}` is a variable, `{{ env.NAME }}` a variable of the environment, `{{ id.column }}` and
`{{ id.item.column }}` a column of an entry's row. `{{ '{{' }}` stands for the two characters `{{`, and
`{{ '{' }}` for one (before a placeholder); `}}` alone is nothing special. What a placeholder brings in is
never looked at for placeholders again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPEN = "{{"
PLACEHOLDER = re.compile(
    r"\{\{[ \t\r\n]*(?:(?P<path>[^\s{}'\"|()]+)|'(?P<one>\{\{?)'|\"(?P<two>\{\{?)\")[ \t\r\n]*\}\}"
)
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One `{{ path }}`."""

    path: str

    @property
    def is_variable(self) -> bool:
        """It names a variable: what reads a row or the environment has a dot."""
        return "." not in self.path


Parts = tuple[str | Placeholder, ...]


class PlaceholderError(ValueError):
    """Two opening braces that begin no placeholder; the message says what to do."""


def split(text: str) -> Parts:
    """The texts and placeholders of a text, in order; no text is empty. Raises PlaceholderError.

    >>> split("run of {{ base.run_id }}{{ '{{' }}")
    ('run of ', Placeholder(path='base.run_id'), '{{')
    """
    parts: list[str | Placeholder] = []
    at = 0
    while (found := text.find(_OPEN, at)) != -1:
        match = PLACEHOLDER.match(text, found)
        if match is None:
            raise PlaceholderError(_message(text[found : found + _SHOWN]))
        _add(parts, text[at:found])
        path = match["path"]
        if path is None:
            _add(parts, match["one"] or match["two"])
        else:
            parts.append(_placeholder(path))
        at = match.end()
    _add(parts, text[at:])
    return tuple(parts)


def escape(text: str) -> str:
    """A text that `split` gives back as it is, whatever stands beside it.

    >>> split(escape("{{ x }}"))
    ('{{ x }}',)
    """
    escaped = text.replace(_OPEN, "{{ '{{' }}")
    # A brace at the end would become one with those of what follows.
    return f"{escaped[:-1]}{{{{ '{{' }}}}" if escaped.endswith("{") else escaped


def holds(text: str) -> bool:
    """Whether there may be a placeholder in a text."""
    return _OPEN in text


def _placeholder(path: str) -> Placeholder:
    if not all(path.split(".")):
        raise PlaceholderError(f"{{{{ {path[:_SHOWN]} }}}}: there is a dot without a name beside it")
    return Placeholder(path)


def _add(parts: list[str | Placeholder], text: str) -> None:
    if not text:
        return
    if parts and isinstance(before := parts[-1], str):
        parts[-1] = before + text
    else:
        parts.append(text)


def _message(found: str) -> str:
    return (
        f"{found!r} is no placeholder: between {{{{ and }}}} stands one name, of a variable, env.NAME, "
        "id.column or id.item.column; the characters {{ themselves are written {{ '{{' }}"
    )
