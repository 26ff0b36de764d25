"""No list of the API walks through a big table, be it its first part or a later one."""

from __future__ import annotations

import pytest
from flask import Flask

from benchmarks.seed import Seeded, seed
from portal.scope import tenant_scope
from portal.services.api.tokens import add_token
from tests.api.conftest import Reader
from tests.query_plans.plans import asked
from tests.query_plans.test_pages import ASKED, OTHERS


@pytest.fixture
def seeded(app: Flask) -> Seeded:
    return seed(app, ASKED, OTHERS, others=2, is_looked_at=False)


def lists(made: Seeded) -> list[str]:
    """Every list, and every filter of it."""
    client, asset, title = made.client_id, made.asset_id, made.title_id
    wanted = {
        "clients": ["", "q=client"],
        "organizations": ["", "show=mapped", "q=organization"],
        "assets": [
            *("", "status=every", "status=overdue", "status=missing", "status=stale", "q=pc"),
            *(f"client_id={client}", "type=server", "site=Site+1", "os=windows"),
        ],
        "alerts": [
            *("", "status=active", "severity=error", f"client_id={client}", f"asset_id={asset}"),
            *("age=24h", "since=2026-01-01T00:00:00Z", "q=disk"),
        ],
        "software": ["", "show=all", "q=driver"],
        "products": ["", "show=all", "q=driver"],
        "installs": [
            *("", f"asset_id={asset}", f"client_id={client}", "show=gone", "version=1.0.0"),
            *(f"title_id={title}", f"title_id={title}&older_than=1.9"),
            *(f"product_id={made.product_id}", f"product_id={made.product_id}&older_than=1.9"),
        ],
        "runs": ["", "kind=devices", "status=failed"],
        f"runs/{made.run_id}/records": ["", "action=failed"],
        "history": ["", f"asset_id={asset}", f"run_id={made.run_id}", "after_id=5"],
    }
    return [f"/{path}?{query}" for path, queries in wanted.items() for query in queries]


def test_no_list_walks_through_a_big_table(app: Flask, app_context: None, seeded: Seeded) -> None:
    """Neither for whom every client is shown nor for whom one is."""
    wrong: dict[str, str] = {}
    for name, shown in (("All", None), ("One", [seeded.client_id])):
        with tenant_scope(seeded.tenant_id):
            token = add_token(name, ["read"], client_ids=shown).secret
        reader = Reader(app.test_client(), token)
        for path in lists(seeded):
            with asked() as found:
                first = reader.read(f"{path}&limit=5".replace("?&", "?"))
                if first["next"]:
                    reader.read(f"{path}&limit=5&cursor={first['next']}".replace("?&", "?"))
            wrong |= {walk: f"{path} ({name})" for walk in found.walks() if walk not in wrong}
    assert not wrong, "\n".join(f"{path}\n    {walk}" for walk, path in wrong.items())
