"""What most kinds of channels have in common: a title, a text, and no memory of keys."""

from __future__ import annotations

from collections.abc import Sequence

from portal.channels.telling import Telling
from portal.channels.templating import render
from portal.channels.wording import list_links
from portal.far_side.form import Settings


class TextChannel:
    help_url = ""
    parts: Sequence[str] = (
        *("subject", "text", "digest_subject", "digest_text"),
        *("notice_subject", "notice_text"),
    )
    most_per_minute = 20

    def takes_key(self, settings: Settings) -> bool:
        return False

    def preview(self, settings: Settings, telling: Telling) -> str:
        told = render(telling)
        facts = "\n".join(f"{label}: {value}" for label, value in told.facts)
        links = "\n".join(f"[{label}]" for label, _ in list_links(telling))
        pieces = (told.title, told.text, facts, links, told.double)
        return "\n\n".join(piece for piece in pieces if piece)
