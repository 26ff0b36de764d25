"""Plain text for Redmine: as a block in which neither markup nor macros count."""

from __future__ import annotations

import re
from collections.abc import Mapping

from portal.far_side.escaping import clean

FORMATS: Mapping[str, str] = {"textile": "Textile", "markdown": "Markdown"}
_END_OF_BLOCK = re.compile(r"<(?=/?\s*(pre|code))", re.IGNORECASE)
_FENCE = re.compile(r"`{3,}")


def write_block(text: str, markup: str, url: str = "") -> str:
    """`url` stands below the block, where it becomes a link."""
    plain = clean(text)
    if markup == "markdown":
        fence = "`" * (1 + max((len(found) for found in _FENCE.findall(plain)), default=2))
        block = f"{fence}\n{plain}\n{fence}"
    else:
        # A zero-width space behind it: the block would end there.
        block = "<pre>\n" + _END_OF_BLOCK.sub("<\u200b", plain) + "\n</pre>"
    return f"{block}\n\n{url}" if url else block
