"""The portal: create_app() and nothing else.

It is imported when it is asked for: the command line shows its help without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portal.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("portal.app"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
