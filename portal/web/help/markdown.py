"""The documents of this repository as HTML: as much of Markdown as they use, and no more. All text
is escaped; what is not understood is shown as it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from markupsafe import Markup, escape

HEADING = re.compile(r"(#{1,4}) (.+)")
ITEM = re.compile(r"( *)([-*]|\d+\.) +(.*)")
FENCE = re.compile(r" *```")
ROW = re.compile(r"\|(.*)\|\s*$")
RULE = re.compile(r"\|[-:| ]+\|\s*$")
CELLS = re.compile(r"(?<!\\)\|")
INLINE = re.compile(
    r"`(?P<code>[^`]+)`|!\[(?P<alt>[^\]]*)\]\([^)]+\)|\[(?P<text>[^\]]+)\]\((?P<link>[^)\s]+)\)"
    r"|<(?P<plain>https?://[^>]+)>|\*\*(?P<strong>.+?)\*\*|\*(?P<em>[^*\s][^*]*)\*"
)
PART = 2
"""How many marks its heading has."""
Resolve = Callable[[str], str | None]
"""The address that a link leads to, or None where the reader cannot follow it."""


def anchor_of(heading: str) -> str:
    """As links name a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def title_of(text: str) -> str:
    return INLINE.sub(_words_of, text.partition("\n")[0].removeprefix("# "))


def list_parts(text: str) -> list[tuple[str, str]]:
    """The anchors and titles of its parts."""
    headings = [found for line in text.splitlines() if (found := HEADING.fullmatch(line))]
    return [
        (anchor_of(each[2]), INLINE.sub(_words_of, each[2]))
        for each in headings
        if len(each[1]) == PART
    ]


def _words_of(mark: re.Match[str]) -> str:
    return next(each for each in mark.groups() if each)


def render(text: str, resolve: Resolve) -> Markup:
    return Markup("\n").join(_blocks(text.splitlines(), resolve))


def _blocks(lines: list[str], resolve: Resolve) -> Iterator[Markup]:
    at = 0
    while at < len(lines):
        line = lines[at]
        end = at + 1
        if not line.strip():
            at = end
            continue
        if found := HEADING.fullmatch(line):
            yield _heading(found, resolve)
        elif FENCE.match(line):
            end = _until(lines, end, lambda each: bool(FENCE.match(each))) + 1
            yield _code(lines[at + 1 : end - 1])
        elif line.startswith("    "):
            end = _until(lines, end, lambda each: bool(each) and not each.startswith("    "))
            yield _code([each[4:] for each in lines[at:end]])
        elif ROW.match(line):
            end = _until(lines, end, lambda each: not ROW.match(each))
            yield _table(lines[at:end], resolve)
        elif found := ITEM.match(line):
            end = _until(lines, end, _ends_list)
            yield _list(lines[at:end], resolve)
        else:
            end = _until(lines, end, _ends_paragraph)
            yield Markup("<p>{}</p>").format(_inline(" ".join(lines[at:end]), resolve))
        at = end


def _until(lines: list[str], start: int, ends: Callable[[str], bool]) -> int:
    """The first line from `start` on with which something ends."""
    return next((at for at in range(start, len(lines)) if ends(lines[at])), len(lines))


def _ends_paragraph(line: str) -> bool:
    return not line.strip() or any(each.match(line) for each in (HEADING, ITEM, FENCE, ROW))


def _ends_list(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("  ") and not ITEM.match(line)


def _heading(found: re.Match[str], resolve: Resolve) -> Markup:
    size, text = len(found[1]), found[2]
    return Markup('<h{} id="{}">{}</h{}>').format(
        size, anchor_of(text), _inline(text, resolve), size
    )


def _code(lines: list[str]) -> Markup:
    return Markup('<pre class="payload" tabindex="0">{}</pre>').format("\n".join(lines).rstrip())


def _list(lines: list[str], resolve: Resolve) -> Markup:
    """Its items, each with what is indented below it."""
    first = ITEM.match(lines[0])
    assert first is not None
    depth, kind = len(first[1]), "ul" if first[2] in "-*" else "ol"
    items: list[list[str]] = []
    for line in lines:
        found = ITEM.match(line)
        if found and len(found[1]) == depth:
            items.append([found[3]])
        else:
            items[-1].append(line.removeprefix(" " * (depth + 2)))
    parts = [Markup("<li>{}</li>").format(_item(item, resolve)) for item in items]
    return Markup("<{}>{}</{}>").format(kind, Markup("").join(parts), kind)


def _item(lines: list[str], resolve: Resolve) -> Markup:
    end = _until(lines, 1, lambda each: not each.strip() or bool(ITEM.match(each)))
    first = _inline(" ".join(each.strip() for each in lines[:end]), resolve)
    return Markup("").join([first, *_blocks([each.lstrip() for each in lines[end:]], resolve)])


def _table(lines: list[str], resolve: Resolve) -> Markup:
    rows = [[cell.strip() for cell in CELLS.split(line.strip()[1:-1])] for line in lines]
    has_head = len(lines) > 1 and RULE.match(lines[1])
    head = _row(rows[0], "th", resolve) if has_head and any(rows[0]) else Markup("")
    body = [_row(row, "td", resolve) for row in (rows[2:] if has_head else rows)]
    table = Markup('<table class="table"><thead>{}</thead><tbody>{}</tbody></table>')
    return Markup('<div tabindex="0">{}</div>').format(table.format(head, Markup("").join(body)))


def _row(cells: list[str], tag: str, resolve: Resolve) -> Markup:
    parts = [_cell(cell.replace("\\|", "|"), tag, resolve) for cell in cells]
    return Markup("<tr>{}</tr>").format(Markup("").join(parts))


def _cell(text: str, tag: str, resolve: Resolve) -> Markup:
    """A blank one heads no column."""
    if tag == "th" and text:
        return Markup('<th scope="col">{}</th>').format(_inline(text, resolve))
    return Markup("<td>{}</td>").format(_inline(text, resolve))


def _inline(text: str, resolve: Resolve) -> Markup:
    parts: list[Markup] = []
    at = 0
    for found in INLINE.finditer(text):
        parts += [escape(text[at : found.start()]), _mark(found, resolve)]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


def _mark(found: re.Match[str], resolve: Resolve) -> Markup:
    if found["code"] is not None:
        return Markup("<code>{}</code>").format(found["code"])
    for name, tag in (("strong", "strong"), ("em", "em")):
        if found[name] is not None:
            return Markup("<{}>{}</{}>").format(tag, _inline(found[name], resolve), tag)
    if found["alt"] is not None:
        return Markup("<em>{}</em>").format(found["alt"])
    words = found["text"] or found["plain"]
    address = found["plain"] or resolve(found["link"])
    if address is None:
        return _inline(words, resolve)
    return Markup('<a href="{}">{}</a>').format(address, _inline(words, resolve))
