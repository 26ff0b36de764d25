from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from portal.scope import tenant_scope

_apps: list[Flask] = []


def use_app(app: Flask) -> None:
    """The application of this process, made once and before a worker forks."""
    _apps[:] = [app]


@contextmanager
def job_context(tenant_id: int) -> Iterator[None]:
    with _apps[0].app_context(), tenant_scope(tenant_id):
        yield
