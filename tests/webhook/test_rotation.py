"""A new secret reaches what was installed in Tactical, or says that it did not."""

from __future__ import annotations

import pytest

from portal.models.webhook.installation import InstallationAction
from portal.services.webhook import installation
from portal.services.webhook.rotation import rotate_secret
from portal.services.webhook.settings import list_key_rows
from tests.support.webhooks import Msp


@pytest.mark.parametrize("use_key_store", [True, False])
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.one_database
def test_a_rotation_reaches_tactical(msp: Msp, use_key_store: bool, at_once: bool) -> None:
    msp.install("default", use_key_store=use_key_store)
    with msp.scope():
        rotation = rotate_secret(at_once)
        row = installation.run_now(InstallationAction.TEST, msp.wanted())
        assert len(list_key_rows()) == (1 if at_once else 2)

    assert (rotation.in_tactical, rotation.warning) == (True, None)
    assert row.ok
    assert rotation.secret in repr(msp.everything())


@pytest.mark.one_database
def test_a_rotation_that_tactical_does_not_take_says_so(msp: Msp) -> None:
    msp.install()
    msp.use_key(without=["can_edit_global_keystore"])
    with msp.scope():
        rotation = rotate_secret()

    assert not rotation.in_tactical
    assert "can_edit_global_keystore" in (rotation.warning or "")
