"""What people read is in the words of an admin, whatever the code calls it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.test_documentation import ROOT

OURS = re.compile(
    r"\b(ingest\w*|deliver(y|ies)|reconcil\w*|sweeps?|backfill\w*|payload|upsert\w*"
    r"|(1440|1,440) minutes)\b",
    re.IGNORECASE,
)
"""Words of the code, which nobody needs to know."""
READ = ("web", "services", "cli", "sync", "tactical")
LITERAL = re.compile(r'"([^"]*)"')


def test_pages_say_nothing_in_words_of_the_code() -> None:
    said = [
        f"{path.relative_to(ROOT)}: {text.strip()}"
        for path in sorted((ROOT / "portal/templates").rglob("*.html"))
        for text in list_texts(path.read_text())
        if OURS.search(text)
    ]
    assert not said


def test_messages_and_forms_say_nothing_in_words_of_the_code() -> None:
    said = [
        f"{path.relative_to(ROOT)}: {text}"
        for room in READ
        for path in sorted((ROOT / "portal" / room).rglob("*.py"))
        if OURS.search(source := path.read_text())
        for text in list_sentences(source)
        if OURS.search(re.sub(r"<[^>]*>", "", text))
    ]
    assert not said


def list_texts(template: str) -> Iterator[str]:
    """What stands between tags, and what templates hand to macros and attributes as words."""
    template = re.sub(r"\{#.*?#\}", "", template, flags=re.DOTALL)
    code = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
    inside = " ".join(code.findall(template))
    outside = code.sub(" ", template)
    attributes = r'(?:title|aria-label|placeholder|alt)="([^"]*)"'
    yield from re.findall(attributes, outside)
    yield from re.sub(r"<[^>]*>", "\n", outside).splitlines()
    yield from (text for text in LITERAL.findall(inside) if is_said(text))


def list_sentences(source: str) -> Iterator[str]:
    """Literals that are said to somebody: not docstrings, and not what goes to the log."""
    nodes: list[ast.AST] = [ast.parse(source)]
    for node in nodes:
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and is_said(node.value):
                yield node.value
        elif not is_silent(node):
            nodes.extend(ast.iter_child_nodes(node))


def is_silent(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    called = node.func if isinstance(node, ast.Call) else None
    owner = called.value if isinstance(called, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id == "log"


def is_said(text: str) -> bool:
    """A sentence, or a label: not a name of something in the code."""
    return " " in text.strip() or text[:1].isupper()
