"""Text for what it goes into: so that no alert's words become markup, a mention or a link there.

And within a far side's limits: cut between characters, with an ellipsis.
"""

from __future__ import annotations

import json
import re

from markupsafe import escape

ELLIPSIS = "…"
_DISCORD = re.compile(r"([\\*_~`|>#\-+\[\]()<@:])")
_SLACK = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BROKEN_END = re.compile(r"(&[a-z]{0,4}|\\)$")
"""Half of an entity, or a backslash that would act on what follows."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Without control characters, and those that turn the direction of writing; and without
    lone surrogates, which cannot be sent."""
    return _CONTROL.sub("", text.encode(errors="replace").decode())


def for_plain(text: str) -> str:
    return text


def for_html(text: str) -> str:
    return str(escape(text))


def for_json(text: str) -> str:
    """To stand between the quotes of a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def for_slack(text: str) -> str:
    """Links, mentions and channels all begin with `<`."""
    return re.sub("[&<>]", lambda found: _SLACK[found[0]], text)


def for_discord(text: str) -> str:
    """A zero-width space takes the address of a link its power: it cannot be escaped."""
    return _DISCORD.sub(r"\\\1", text).replace("://", ":/\u200b/")


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def cut(text: str, most: int) -> str:
    """At most so many characters; the last is an ellipsis where something was cut off."""
    if len(text) <= most:
        return text
    return _BROKEN_END.sub("", text[: most - 1]).rstrip() + ELLIPSIS


def cut_bytes(text: str, most: int) -> str:
    """At most so many bytes of UTF-8."""
    data = text.encode()
    if len(data) <= most:
        return text
    kept = data[: most - len(ELLIPSIS.encode())].decode(errors="ignore")
    return _BROKEN_END.sub("", kept).rstrip() + ELLIPSIS
