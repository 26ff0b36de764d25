from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column


class Leased:
    """Work that one process at a time does. See `portal.lease`."""

    lease: Mapped[str | None]
    """A random word of the process that does it; its writes count only while it matches."""
    fencing_number: Mapped[int] = mapped_column(default=0, server_default="0")
    """Rises with each claim, and so says how often the work was begun."""
    heartbeat_at: Mapped[datetime | None]
