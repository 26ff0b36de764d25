"""Zammad, on a fake that was made from its documentation: no proof of how a real one behaves.

Most is tried by the contract, on the same fake.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.egress import Gateway
from portal.helpdesks import carefully
from portal.helpdesks.kind import Draft, Refused, State
from portal.helpdesks.zammad import KIND
from portal.helpdesks.zammad.client import ZammadClient
from tests.egress.servers import open_gateway
from tests.helpdesks.benches import ZammadBench
from tests.helpdesks.fake_zammad import FakeZammad, fake_zammad

DRAFT = Draft(key="acme-0a1b2c", queue="1", subject="Disk full", body="C: is full")


def connect(gateway: Gateway, server: FakeZammad) -> ZammadClient:
    setup = ZammadBench(server).list_setups()["good"]()
    KIND.check(setup.settings, setup.secrets)
    return KIND.connect(gateway, setup.settings, setup.secrets)


def test_an_index_that_is_behind_makes_no_second_ticket_and_no_false_alarm() -> None:
    with fake_zammad() as server, open_gateway() as gateway:
        server.is_behind = True
        opened = carefully.open_once(connect(gateway, server), DRAFT)
        assert opened.key == DRAFT.key
        server.indexed |= server.tickets.keys()
        assert carefully.open_once(connect(gateway, server), DRAFT).reference == opened.reference
        assert len(server.tickets) == 1


def test_a_missing_elasticsearch_is_named_by_the_probe() -> None:
    """As soon as there is a ticket to try it with."""
    with fake_zammad() as server, open_gateway() as gateway:
        client = connect(gateway, server)
        server.has_index = False
        assert client.check_account() == "portal@msp.example"
        client.open(DRAFT)
        with pytest.raises(Refused, match="Elasticsearch is not set up"):
            client.check_account()
    assert not KIND.can_find({"has_search": False})
    assert KIND.is_untried


def test_a_ticket_has_a_customer_and_what_is_written_is_not_shown_to_them() -> None:
    with fake_zammad() as server, open_gateway() as gateway:
        client = connect(gateway, server)
        reference = client.open(replace(DRAFT, customer="12", priority="3")).reference
        client.comment(reference, "Again")
        assert [article["internal"] for article in server.articles[1]] == [True, True]
        customers = {each.id: each.name for each in client.list_customers()}
        assert customers["12"] == "Customer Number 2 (c2@acme.example)"
        assert [each.name for each in client.list_queues()] == ["Support", "Network"]
        assert client.read([reference])[reference].url == f"{server.url}/#ticket/zoom/1"
        client.close(reference)
        assert client.read([reference])[reference].state is State.CLOSED
