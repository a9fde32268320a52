"""The outer shape of a template: everything opened is closed, no tag is huge. One linear pass, before the parser.

Pure; knows the delimiters and the names of block tags, nothing of what a template means.
"""

from __future__ import annotations

import re

from ..errors import TemplateError

MAX_TAG = 2_000
"""Characters between ``{{`` and ``}}``, or ``{%`` and ``%}``."""
MAX_SPACE = 100

_OPENING = re.compile(r"\{\{|\{%")
_LONG_SPACE = re.compile(rf"\s{{{MAX_SPACE + 1}}}")
_TAG_NAME = re.compile(r"-?\s*(\w+)")
_BLOCKS = frozenset({"if", "unless", "case", "for", "capture", "comment"})


def check_shape(source: str) -> None:
    """Check, in one pass, that everything opened is closed and no tag is huge.

    The library's expressions take minutes over 24 000 unclosed braces or 50 000 spaces; and here is where the line of
    a tag that was never closed is known.
    """
    opened: list[tuple[str, int]] = []
    at = 0
    while match := _OPENING.search(source, at):
        start, mark = match.start(), match.group()
        closing = "}}" if mark == "{{" else "%}"
        end = source.find(closing, start + 2)
        if end < 0:
            raise TemplateError(f"line {_line_at(source, start)}: {mark} is never closed.", hint=f"Add {closing}.")
        body = source[start + 2 : end]
        if len(body) > MAX_TAG or _LONG_SPACE.search(body):
            raise TemplateError(
                f"line {_line_at(source, start)}: a tag has at most {MAX_TAG} characters, {MAX_SPACE} spaces in a row."
            )
        at = end + 2
        if mark == "{%" and (named := _TAG_NAME.match(body)):
            name = named.group(1)
            if name in ("raw", "doc"):
                finish = re.compile(r"\{%-?\s{0,100}end" + name + r"\s{0,100}-?%\}").search(source, at)
                if finish is None:
                    raise _never_closed(source, name, start)
                at = finish.end()
            else:
                _follow_blocks(source, opened, name, start)
    if opened:
        raise _never_closed(source, *opened[-1])


def _follow_blocks(source: str, opened: list[tuple[str, int]], name: str, at: int) -> None:
    """Keep the stack of open blocks; inside a comment only comments count."""
    commented = bool(opened) and opened[-1][0] == "comment"
    if name in _BLOCKS and (not commented or name == "comment"):
        opened.append((name, at))
    elif name.startswith("end") and name[3:] in _BLOCKS and (not commented or name == "endcomment"):
        if not opened:
            raise TemplateError(f"line {_line_at(source, at)}: {{% {name} %}} closes nothing.", hint="Remove it.")
        if opened[-1][0] != name[3:]:
            raise _never_closed(source, *opened[-1])
        opened.pop()


def _never_closed(source: str, name: str, at: int) -> TemplateError:
    line = _line_at(source, at)
    return TemplateError(f"line {line}: {{% {name} %}} is never closed.", hint=f"Add {{% end{name} %}}.")


def _line_at(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1
