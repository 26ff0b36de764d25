"""Every kind of secret that the code knows is one that a canary is of: a new one fails here until
it is driven, or said to be none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from flask_wtf import FlaskForm
from sqlalchemy import Boolean
from wtforms import PasswordField

from portal.app import create_app
from portal.db import Base
from tests.canary import people

PORTAL = Path(__file__).parents[2] / "portal"

MAKERS = {
    *("choice", "new_token", "random_base32", "token_bytes", "token_hex", "token_urlsafe"),
    *("hash_new_password", "hash_password", "seal", "store_secret", "urandom"),
}
"""Functions that make a secret up, or take one to keep it."""
CAUGHT = """
    events/delivery.py:make_secret services/api/tokens.py:add_token
    services/accounts/invitations.py:accept_as_new services/accounts/invitations.py:invite
    services/accounts/link_mails.py:add_mail
    services/accounts/password_changes.py:change_password
    services/accounts/password_changes.py:issue_reset
    services/accounts/password_changes.py:use_reset
    services/accounts/passwords.py:hash_new_password
    services/accounts/reauthentication.py:prove_again
    services/accounts/reauthentication.py:seal_form
    services/accounts/second_factors/challenges.py:_keep
    services/accounts/second_factors/recovery_codes.py:make_codes
    services/accounts/second_factors/totp.py:_seal
    services/accounts/second_factors/totp.py:put_new_secret services/accounts/setup.py:issue_token
    services/accounts/sign_in.py:_begin_second_step services/accounts/sign_in.py:add_session
    services/accounts/tokens.py:new_token services/accounts/users.py:find_or_add_user
    services/audit/keys.py:_keep services/events/subscribers.py:add_subscriber
    services/far_sides.py:keep_secrets
    services/integrations/codes.py:enter_code services/integrations/connect.py:_apply_credentials
    services/integrations/ended_sign_ins.py:add_ended services/integrations/shared_sign_in.py:keep
    services/key_rotation.py:_reseal services/webhook/digests.py:_make_sealed
    services/webhook/keys.py:_add_key vault.py:store_secret
    services/windows/feeds.py:add_feed
    services/oidc/flows.py:begin services/oidc/outcomes.py:join services/oidc/outcomes.py:prove
    services/oidc/settings.py:save_provider web/oidc/sign_in.py:lead_to_provider
"""
"""Where the code calls them: what passes there is caught while all is driven."""
NO_SECRETS = """
    cli/conflicts.py:settle cli/connection.py:decide_server
    services/integrations/identity.py:decide_server
    services/integrations/option_kinds.py:to_column web/tacticalrmm/views.py:decide_identity
    extensions.py:make_form_token web/design.py:
    helpdesks/mail/client.py:comment helpdesks/carefully.py:make_key
    keys.py:_write_draft lease.py:make_lease queue.py:_enqueue
    work_id.py:begin_work work_id.py:work services/accounts/known_devices.py:issue_device
    vault.py:seal services/helpdesks/customers.py:_load supervisor/demo_history.py:_raise_alerts
"""
"""Other choices, ids, names of files, a nonce, what each form carries."""
OUTSIDE = """
    keys.py:_new_key keys.py:put_first supervisor/demo.py:_make
    services/accounts/password_changes.py:set_password services/accounts/sign_in.py:sign_in
"""
"""Keys of the install, which lie in its folder; the demo's; a password once more."""
COLUMNS = """
    api_tokens.token_digest authenticators.envelope calendar_feeds.token_digest
    invitations.token_digest
    oidc_flows.browser_digest oidc_flows.state_digest
    passkey_challenges.challenge passkey_challenges.token_digest password_resets.token_digest
    pending_sign_ins.token_digest recovery_codes.digest secrets.envelope secrets.last_four
    user_sessions.token_digest users.password_hash webhook_keys.digest
"""
"""Of the database: ciphertext, digests and hashes of what is caught, and four last characters."""
OTHER_COLUMNS = """
    api_token_clients.api_token_id assets.serial_key audit_entries.key_id audit_entries.mac
    clients.name_key messages.key software_products.name_key software_products.publisher_key
    install_audit_entries.key_id install_audit_entries.mac install_settings.key
    passkeys.public_key passkeys.credential_id oidc_providers.keys oidc_providers.keys_at
    tickets.key ticket_tasks.key
"""
"""Named alike."""
TYPED = {
    *("password", "old_password", "new_password", "api_key", "totp_code", "totp_secret"),
    "client_secret",
    *("url", "token", "topic", "headers", "key"),
}


def test_every_place_that_makes_or_keeps_a_secret_is_caught() -> None:
    known = [*CAUGHT.split(), *NO_SECRETS.split(), *OUTSIDE.split()]
    assert set(list_places()) == set(known)
    assert len(known) == len(set(known))


def list_places() -> Iterator[str]:
    for file in PORTAL.rglob("*.py"):
        text = file.read_text()
        if any(maker in text for maker in MAKERS):
            for function in _list_calling(ast.parse(text), ""):
                yield f"{file.relative_to(PORTAL)}:{function}"


def _list_calling(node: ast.AST, function: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.FunctionDef) else function
        named = getattr(child, "attr", getattr(child, "id", ""))
        if isinstance(child, ast.Attribute | ast.Name) and named in MAKERS:
            yield inside
        yield from _list_calling(child, inside)


def test_every_column_that_may_hold_one_is_known() -> None:
    pattern = (
        r"digest|hash|envelope|secret|token|passw|challenge|(_|^)key|credential|last_four|mac$"
    )
    found = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if re.search(pattern, column.name) and not isinstance(column.type, Boolean)
    }
    assert found == {*COLUMNS.split(), *OTHER_COLUMNS.split()}


def test_every_field_of_a_form_that_hides_what_is_typed_is_typed_into() -> None:
    create_app()  # whose pages import every form
    fields = {
        name
        for form in FlaskForm.__subclasses__()
        for name, field in vars(form).items()
        if getattr(field, "field_class", None) is PasswordField
    }
    assert fields <= TYPED
    sent = Path(people.__file__).read_text()
    assert {name for name in fields if not re.search(rf"\b{name}\b", sent)} == set()
