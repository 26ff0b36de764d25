"""A person's own wording, in a small part of Jinja: values, conditions and a few filters.

What a template may hold is listed here, and anything else refused. Jinja's sandbox alone stops
neither `'a' * 10**9` nor nested loops: with no arithmetic, loop, call or attribute there is
nothing left to be expensive. Values are text, escaped for what the result goes into.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment

from portal.far_side.escaping import for_plain

Escape = Callable[[str], str]

FILTERS = ("capitalize", "default", "lower", "title", "trim", "truncate", "upper")
NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.If,
    nodes.CondExpr,
    nodes.Filter,
    nodes.Keyword,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
)
LONGEST = 4000
DEEPEST = 25
"""Levels of terms within terms: what is nested more deeply takes Jinja seconds to compile."""
TOO_DEEP = "The template is nested too deeply."


class BadTemplate(Exception):
    """The argument is a sentence for people."""


def fill(source: str, values: Mapping[str, str], escape: Escape = for_plain) -> str:
    """The template with its values. Raises BadTemplate."""
    template = _compile(source, escape, frozenset(values))
    try:
        return template.render(values).strip()
    except Exception as error:  # filters and comparisons raise whatever Python does
        raise BadTemplate(f"It cannot be filled in, as all values are text: {error}.") from error


def check_template(source: str, names: Collection[str]) -> None:
    """`names`: of the values that there are. Raises BadTemplate for what is not allowed, not among
    these, or cannot be filled in."""
    if len(source) > LONGEST:
        raise BadTemplate(f"Use at most {LONGEST:,} characters.")
    for value in ("text", ""):
        fill(source, dict.fromkeys(names, value))


@lru_cache(256)
def _compile(source: str, escape: Escape, names: frozenset[str]) -> Template:
    """Raises BadTemplate."""
    environment = SandboxedEnvironment(
        finalize=lambda value: escape(str(value)), keep_trailing_newline=True
    )
    environment.globals.clear()
    environment.policies["truncate.leeway"] = 0
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    try:
        tree = environment.parse(source)
        _check_nodes(tree, names)
        return environment.from_string(tree)
    except TemplateSyntaxError as error:
        raise BadTemplate(f"Line {error.lineno} cannot be read: {error.message}") from error
    except (RecursionError, SyntaxError):  # the latter is Python's word for the same
        raise BadTemplate(TOO_DEEP) from None


def _check_nodes(tree: nodes.Template, names: Collection[str]) -> None:
    for node, depth in _walk(tree):
        if depth > DEEPEST:
            raise BadTemplate(TOO_DEEP)
        line = f"Line {node.lineno}"
        if not isinstance(node, NODES):
            raise BadTemplate(
                f"{line} holds what is not allowed. Use only values in {{{{ }}}}, "
                "{% if %} … {% else %} … {% endif %}, and filters: " + ", ".join(FILTERS) + "."
            )
        if isinstance(node, nodes.Name) and node.name not in names:
            raise BadTemplate(f"{line} names “{node.name}”, which is no value that there is.")
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            known = ", ".join(FILTERS)
            raise BadTemplate(f"{line} uses the filter “{node.name}”. Allowed are {known}.")


def _walk(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    """Each with its depth."""
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += ((child, depth + 1) for child in node.iter_child_nodes())
