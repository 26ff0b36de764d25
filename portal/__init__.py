"""The portal: create_app(), add_pages() and nothing else.

They are imported when they are asked for: commands and workers do without pages.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portal.app import add_pages, create_app

__all__ = ["add_pages", "create_app"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("portal.app"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
