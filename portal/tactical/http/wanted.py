"""What Tactical's general errors mean at some of its endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from portal.tactical.errors import BetaOff, NotFoundInTactical, ServerError
from portal.tactical.record_errors import BrokenAgent


@contextmanager
def beta_wanted() -> Iterator[None]:
    """Raises BetaOff for the HTML 404 of a server whose beta API is off."""
    try:
        yield
    except NotFoundInTactical as error:
        if error.is_html:
            raise BetaOff from error
        raise


@contextmanager
def agent_wanted() -> Iterator[None]:
    """Raises BrokenAgent for a failure of Tactical's own."""
    try:
        yield
    except ServerError as error:
        if error.is_crash:
            raise BrokenAgent(error.status) from error
        raise
