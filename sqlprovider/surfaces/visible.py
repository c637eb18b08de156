"""Text from a backend made safe for a terminal: what would steer it is shown and not obeyed."""

from __future__ import annotations

_LINE_BREAKS = {ord("\n"), ord("\t")}
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
_BIDIRECTIONAL = [0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
_SURROGATES = range(0xD800, 0xE000)
_ESCAPES = {
    code: repr(chr(code))[1:-1]
    for code in [*_CONTROLS, *_BIDIRECTIONAL, *_SURROGATES]
    if code not in _LINE_BREAKS
}


def visible(text: str) -> str:
    r"""The text with control characters as escapes; line breaks and tabs stay.

    >>> visible("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return text if text.isascii() and text.isprintable() else text.translate(_ESCAPES)
