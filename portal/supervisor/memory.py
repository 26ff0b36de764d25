"""Memory of processes that live long."""

from __future__ import annotations

import gc


def settle() -> None:
    """What the application is made of stays: to look through it for garbage, over and over, takes
    100 ms each time, which a page or a job would wait for. Call it before the process forks."""
    gc.collect()
    gc.freeze()
