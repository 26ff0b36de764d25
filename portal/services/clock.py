"""The time, for entry points, which do not reach the database's room."""

from portal.db import utc_now

__all__ = ["utc_now"]
