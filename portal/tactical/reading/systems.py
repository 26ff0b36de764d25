"""What Tactical writes in one text, as kind and version of an operating system."""

from __future__ import annotations

import re

KINDS = {"windows": "Windows", "linux": "Linux", "darwin": "macOS"}

_PREFIXES = {
    "windows": re.compile(r"(Microsoft\s+)?Windows\s+", re.IGNORECASE),
    "darwin": re.compile(r"(darwin|mac\s?os)\s+", re.IGNORECASE),
}


def split_system(plat: str, operating_system: str) -> tuple[str, str]:
    """`("Windows", "10 Pro, 64bit (build 18363)")`; a text of another form is kept whole."""
    prefix = _PREFIXES.get(plat)
    version = operating_system
    if prefix is not None and (found := prefix.match(operating_system)):
        version = operating_system[found.end() :]
    return KINDS.get(plat, plat), version
