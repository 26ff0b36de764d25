"""How the portal's processes log: one short line on standard error."""

from __future__ import annotations

import logging

from redis import RedisError

from portal.config import Settings


class OneLineForLostRedis(logging.Filter):
    """Redis coming and going is told in one line, without the traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, RedisError):
            record.msg, record.args, record.exc_info = f"Redis is away: {error}", (), None
        return True


def set_up_logging(settings: Settings) -> None:
    handler = logging.StreamHandler()
    handler.addFilter(OneLineForLostRedis())
    logging.basicConfig(
        level=settings.log_level,
        format="%(levelname)s %(name)s: %(message)s",
        handlers=[handler],
        force=True,
    )
    for name in ("rq.worker", "rq.job", "alembic", "gunicorn"):  # every job, revision and request
        logging.getLogger(name).setLevel(logging.WARNING)
