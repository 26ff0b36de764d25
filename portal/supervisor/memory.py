"""What processes that fork make ready for those that come of them."""

from __future__ import annotations

import gc

from sqlalchemy.orm import configure_mappers


def settle() -> None:
    """What the application is made of is complete, and stays. Call it before the process forks.

    Else each fork joins the models with each other anew, for 30 ms, and to look through it all for
    garbage, over and over, takes 100 ms each time, which a page or a job would wait for.
    """
    configure_mappers()
    gc.collect()
    gc.freeze()
