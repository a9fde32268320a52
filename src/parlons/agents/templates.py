"""Liquid templates written by customers, rendered under limits so that none can hang a call or fill the memory.

Pure: no I/O; there are no tags that load other templates. Time is the thread's own CPU time, so a busy machine or a
test's virtual clock changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, FalsyStrictUndefined, RenderContext, Undefined
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import (
    LiquidError,
    LiquidSyntaxError,
    ResourceLimitError,
    UndefinedError,
    UnknownFilterError,
)
from liquid.expression import Expression
from liquid.utils import ReadOnlyChainMap

from ..errors import TemplateError
from .context import CallContext
from .template_shape import check_shape

MAX_TEMPLATE = 50_000
"""Characters of a template's source."""
MAX_OUTPUT = 100_000
"""Bytes of a rendered text, and characters of any text on the way to it."""
MAX_ITEMS = 2_000
"""Turns of nested loops together, and items of any list a filter is given or makes."""
MAX_LOCALS = 1_000_000
"""Bytes held by ``assign`` and ``capture`` together."""
MAX_INTEGER = 10**30
MAX_CPU_SECONDS = 0.1
CACHED_TEMPLATES = 256

_CHECK_EVERY = 16
"""Nodes of a block between two looks at the clock."""
_REMOVED_TAGS = ("include", "render", "tablerow", "ifchanged")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered text, and the variables it wanted to show that were not defined, each once, in order."""

    text: str
    undefined: tuple[str, ...] = ()


def render(template: str, context: CallContext | Mapping[str, Any], *, strict: bool = False) -> Rendered:
    """Render a template with a call's variables.

    Args:
        strict: printing or looping over an undefined variable is an error (testing it, or giving it a ``default``,
            is not). Otherwise it renders empty and its name is reported.

    Raises:
        TemplateError: it does not parse, an undefined variable when strict, or it goes over a limit.
    """
    if "{{" not in template and "{%" not in template:
        return Rendered(template)
    variables = context.variables() if isinstance(context, CallContext) else context
    seen: dict[str, None] = {}
    token = _undefined_names.set(seen)
    try:
        text = _parsed(template, strict).render(variables)
    except UndefinedError as error:
        name = str(error.message).removesuffix(" is undefined").strip("'")
        raise TemplateError(
            f"{_line(error)}the variable {name} is not defined.",
            hint=f"Give it a value, or a default: {{{{ {name} | default: '' }}}}.",
        ) from error
    except ResourceLimitError as error:
        raise TemplateError(
            f"{_line(error)}the template does too much: {error.message}.",
            hint="Make its loops, lists and texts smaller.",
        ) from error
    except LiquidSyntaxError as error:
        raise _syntax_error(error) from error
    except TemplateError:
        raise
    except Exception as error:  # filters run on whatever outside systems sent: any failure is the template's
        raise TemplateError(
            f"{_line(error)}the template cannot be rendered with these values ({type(error).__name__}).",
            hint="Check the filters and comparisons on that line.",
        ) from error
    finally:
        _undefined_names.reset(token)
    return Rendered(text, tuple(seen))


def check(template: str) -> None:
    """Check a template's syntax, its tags and the names of its filters, without rendering it.

    Raises:
        TemplateError: with the line and what to do about it.
    """
    if len(template) > MAX_TEMPLATE:
        raise TemplateError(f"a template has at most {MAX_TEMPLATE} characters.")
    if "{{" in template or "{%" in template:
        _parsed(template, True)


# -- undefined variables ----------------------------------------------------------------------------------

_undefined_names: ContextVar[dict[str, None]] = ContextVar("undefined_names")


class _EmptyUndefined(Undefined):
    """Renders as nothing, and notes its name when somebody wants to see it; testing it notes nothing."""

    __slots__ = ()

    def _note(self) -> None:
        hint = self.hint or ""
        name = hint.removesuffix(" is undefined") if hint.endswith(" is undefined") and hint[0] != "'" else self.name
        _undefined_names.get().setdefault(name)

    def __str__(self) -> str:
        self._note()
        return ""

    def __len__(self) -> int:
        self._note()
        return 0

    def __iter__(self) -> Iterator[Any]:
        self._note()
        return iter(())

    def __int__(self) -> int:
        self._note()
        return 0


# -- limits ------------------------------------------------------------------------------------------------


class _TooMuch(ResourceLimitError):
    """One of the limits above was passed."""


class _Context(RenderContext):
    """A render context with a deadline, and without the server's own ``now`` and ``today``."""

    __slots__ = ("deadline",)

    def __init__(self, template: BoundTemplate, **options: Any) -> None:
        super().__init__(template, **options)
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self.deadline = time.thread_time() + MAX_CPU_SECONDS

    def check_time(self) -> None:
        if time.thread_time() > self.deadline:
            raise _TooMuch("it takes too long", token=None)

    def get(self, path: list[object], **options: Any) -> object:
        self.check_time()
        return super().get(path, **options)


class _Template(BoundTemplate):
    context_class = _Context


class _Checkpoint(Node):
    """Renders nothing; looks at the clock."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        assert isinstance(context, _Context)
        context.check_time()
        return 0


class _BoundedRange(RangeLiteral):
    """``(a..b)`` that refuses to be huge: the library makes lists of ranges before it counts."""

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> range:
        made = super().evaluate(context)
        if made.stop - made.start > MAX_ITEMS:
            raise _TooMuch(f"a range of more than {MAX_ITEMS}", token=self.token)
        return made


def _check_size(value: object) -> None:
    """Refuse a value that is too big for a filter to be given or to make. Undefined values are left alone."""
    if isinstance(value, Undefined):
        return
    if isinstance(value, str):
        if len(value) > MAX_OUTPUT:
            raise _TooMuch(f"a text of more than {MAX_OUTPUT} characters", token=None)
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise _TooMuch("a number that is too big", token=None)
    elif isinstance(value, (list, tuple, range, dict)) and len(value) > MAX_ITEMS:
        raise _TooMuch(f"a list of more than {MAX_ITEMS} items", token=None)


def _length(value: object) -> int:
    return 0 if value is None or isinstance(value, Undefined) else len(str(value))


def _joined_size(value: object, separator: object = " ") -> int:
    items = value if isinstance(value, (list, tuple, range)) else [value]
    return sum(_length(item) + _length(separator) for item in items)


def _replaced_size(value: object, old: object = "", new: object = "", *_more: object) -> int:
    text = "" if value is None or isinstance(value, Undefined) else str(value)
    found = text.count("" if isinstance(old, Undefined) else str(old))
    return len(text) + found * _length(new)


_PREDICTED: dict[str, Callable[..., int]] = {"join": _joined_size, "replace": _replaced_size}
"""Filters whose result can be far bigger than what they are given: its size is worked out first."""


def _bounded(name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a filter: sizes checked before and after, time checked before."""
    wants_environment = getattr(inner, "with_environment", False)
    wants_context = getattr(inner, "with_context", False)
    predict = _PREDICTED.get(name)

    def bounded(value: Any, *args: Any, context: _Context, **kwargs: Any) -> Any:
        context.check_time()
        for given in (value, *args, *kwargs.values()):
            _check_size(given)
        if predict is not None and predict(value, *args) > MAX_OUTPUT:
            raise _TooMuch(f"a text of more than {MAX_OUTPUT} characters", token=None)
        if name == "date":
            if value in ("now", "today"):  # the call's own time, not the server's
                value = context.get(["system", "now"], token=None)
            if isinstance(value, str):
                value = value[:64]
        if wants_environment:
            kwargs["environment"] = context.env
        if wants_context:
            kwargs["context"] = context
        made = inner(value, *args, **kwargs)
        _check_size(made)
        return made

    setattr(bounded, "with_context", True)  # noqa: B010 (the library's mark on a function; types know no attribute)
    return bounded


class _Environment(Environment):
    template_class = _Template
    loop_iteration_limit = MAX_ITEMS
    local_namespace_limit = MAX_LOCALS
    output_stream_limit = MAX_OUTPUT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in _REMOVED_TAGS:
            del self.tags[tag]
        for name, inner in self.filters.items():
            self.filters[name] = _bounded(name, inner)

    def _parse(self, source: str) -> list[Node]:
        nodes = super()._parse(source)
        static = RenderContext(BoundTemplate(self, nodes))
        for node in nodes:
            self._guard(node, static)
        return _with_checkpoints(nodes)

    def _guard(self, node: Node, static: RenderContext) -> None:
        for expression in node.expressions():
            self._guard_expression(expression)
        for child in node.children(static, include_partials=False):
            self._guard(child, static)
        if isinstance(node, BlockNode):
            node.nodes = _with_checkpoints(node.nodes)

    def _guard_expression(self, expression: Expression) -> None:
        if isinstance(expression, RangeLiteral):
            expression.__class__ = _BoundedRange
        elif isinstance(expression, FilteredExpression):
            for used in expression.filters or ():
                if used.name not in self.filters:
                    raise LiquidSyntaxError(f"unknown filter '{used.name}'", token=used.token)
        for child in expression.children():
            self._guard_expression(child)


def _with_checkpoints(nodes: list[Node]) -> list[Node]:
    guarded: list[Node] = []
    for index, node in enumerate(nodes):
        if index % _CHECK_EVERY == 0:
            guarded.append(_Checkpoint(node.token))
        guarded.append(node)
    return guarded


_STRICT = _Environment(undefined=FalsyStrictUndefined)
_LENIENT = _Environment(undefined=_EmptyUndefined)


@lru_cache(maxsize=CACHED_TEMPLATES)
def _parsed(source: str, strict: bool) -> BoundTemplate:
    if len(source) > MAX_TEMPLATE:
        raise TemplateError(f"a template has at most {MAX_TEMPLATE} characters.")
    check_shape(source)
    try:
        return (_STRICT if strict else _LENIENT).from_string(source)
    except LiquidError as error:
        raise _syntax_error(error) from error
    except (RecursionError, ValueError) as error:  # nested too deep, or a number too long to be one
        raise TemplateError("the template does not parse.", hint="Make its expressions shorter.") from error


# -- words for errors ----------------------------------------------------------------------------------------


def _line(error: BaseException) -> str:
    """``line 3: `` when it is known."""
    if not isinstance(error, LiquidError):
        return ""
    try:
        place = error.context()
    except ValueError:  # the error is at the very end of the text
        assert error.token is not None
        return f"line {error.token.source.count(chr(10)) + 1}: "
    return f"line {place[0]}: " if place else ""


def _syntax_error(error: LiquidError) -> TemplateError:
    message = str(error.message)
    if isinstance(error, UnknownFilterError) or "unknown filter" in message:
        hint = "Use a standard Liquid filter, such as default, upcase, date or join."
    elif any(f"'{tag}'" in message for tag in _REMOVED_TAGS):
        hint = f"The tags {', '.join(_REMOVED_TAGS)} are not available here."
    else:
        hint = "Write variables as {{ name }} and tags as {% if name %} … {% endif %}."
    return TemplateError(f"{_line(error)}{message.rstrip('.')}.", hint=hint)
