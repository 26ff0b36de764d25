"""Encryption keys: everything moved to a new one, an old one removed.

How far a rotation is stands in the envelopes themselves, each of which names its key. So it
goes on where it was, however it ended, and other processes read and write all the while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, select, update

from portal.chunks import chunked
from portal.db import changed_one, db, release, transaction
from portal.errors import InvalidInput, NotFound, Refused, SecretUnreadable
from portal.keys import KeyFile
from portal.models import Authenticator, InstallSetting, Secret
from portal.scope import all_tenants
from portal.services.accounts.second_factors.totp import bind_to_user
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record_in
from portal.services.key_uses import IS_SEALED, count_envelopes, list_keys, select_key_id
from portal.services.webhook import digests as webhook_digests
from portal.vault import bind_to, get_vault, read_key_id

Envelope = Row[int, int, str, int, str, str]
"""Id, tenant, and what it is bound to besides: owner, the owner's id, field; the envelope."""

AT_ONCE = 200
"""Envelopes in a transaction: nobody waits for longer than these take."""

_LOCK_PLACES = "LOCK TABLE secrets, authenticators IN SHARE ROW EXCLUSIVE MODE"


@dataclass(frozen=True, slots=True)
class KeyRotation:
    """`made`: with a new key, not one that was begun on before. `unreadable`: envelopes whose
    key is gone or that were altered; they stay as they are."""

    key_id: str
    made: bool
    moved: int
    unreadable: int
    digests: int | None
    """How many digests of webhook secrets got a new key; None when theirs had to stay."""


def rotate_keys() -> KeyRotation:
    """Encrypt everything with the first key; with a new one when all hangs on the first already.

    Raises Refused where a new one would have to come from PORTAL_ENCRYPTION_KEYS.
    """
    keys = get_vault().keys
    made, moved = _begin(keys), 0
    with all_tenants():
        # Until nothing was written meanwhile with an old one; another rotation may make a newer.
        while some := _move_all(next(iter(keys))):
            moved += some
        key_id = next(iter(keys))
        unreadable = sum(n for name, n in count_envelopes(db.session()).items() if name != key_id)
        release()
    return KeyRotation(key_id, made, moved, unreadable, _renew_digests(key_id))


def remove_key(key_id: str) -> None:
    """Raises NotFound, InvalidInput, and Refused while anything hangs on it."""
    keys = get_vault().keys
    if key_id not in keys:
        raise NotFound(f"There is no key {key_id!r}. Choose one of these: {', '.join(keys)}.")
    if key_id == next(iter(keys)):
        raise InvalidInput(
            f"{key_id} is the current encryption key. Only older keys can be removed."
        )
    with all_tenants(), transaction() as session:
        if session.get_bind().dialect.name == "postgresql":
            # Whoever is about to write waits, then sees that the key is gone: see `store_secret`.
            session.connection().exec_driver_sql(_LOCK_PLACES)
        hanging = count_envelopes(session).get(key_id, 0)
        if hanging:
            raise Refused(
                f"{hanging} secrets are encrypted with {key_id}. Run `portal keys rotate` first."
            )
        if not isinstance(keys, KeyFile):
            raise Refused(
                f"Nothing is encrypted with {key_id} any more. Remove it from "
                "PORTAL_ENCRYPTION_KEYS, then restart the portal."
            )
        keys.remove(key_id)
        record_in([None], Action.KEY_REMOVED, Target("key", key_id, key_id), {"key": key_id})


def _begin(keys: Mapping[str, bytes]) -> bool:
    """Whether a new key was made, with its row; what is encrypted with it has rows of its own, each
    in the transaction that does it."""
    made = not _is_begun()
    if made and not isinstance(keys, KeyFile):
        raise Refused(
            "Everything is already encrypted with the first key of PORTAL_ENCRYPTION_KEYS. To "
            "rotate, put a new key before it, restart the portal, and run this command again."
        )
    with transaction():
        key_id = keys.put_first() if made and isinstance(keys, KeyFile) else next(iter(keys))
        _record(Action.KEYS_ROTATED, key_id, {"encrypts": key_id, "is_new": made})
    return made


def _record(action: Action, key_id: str, after: dict[str, object]) -> None:
    record_in([None], action, Target("key", key_id, key_id), after=after)


def _record_moved(key_id: str, moved: int) -> int:
    if moved:
        _record(Action.SECRETS_ENCRYPTED, key_id, {"secrets": moved})
    return moved


def _is_begun() -> bool:
    """Whether something still hangs on an older key, which is there."""
    return any(use.envelopes for use in list_keys() if use.present and not use.encrypts)


def _move_all(key_id: str) -> int:
    """One look through everything; how many were moved."""
    moved, after = _move_settings(key_id) + _move_authenticators(key_id), 0
    while rows := _list_others(key_id, after):
        moved += _move(rows, key_id)
        after = rows[-1].id
    return moved


def _list_others(key_id: str, after: int) -> Sequence[Envelope]:
    """Some that hang on another key than this one, in the order of their ids."""
    release()
    columns = (Secret.id, Secret.tenant_id, Secret.owner, Secret.owner_id, Secret.field)
    return db.session.execute(
        select(*columns, Secret.envelope)
        .where(Secret.id > after, select_key_id(Secret.envelope) != key_id)
        .order_by(Secret.id)
        .limit(AT_ONCE)
    ).all()


def _move(rows: Sequence[Envelope], key_id: str) -> int:
    moved = 0
    with transaction() as session:
        for row in rows:
            bound_to = bind_to(row.tenant_id, row.owner, row.owner_id, row.field)
            sealed = _reseal(row.envelope, bound_to)
            if sealed is None:
                continue
            moved += changed_one(
                session,
                update(Secret)
                # Unless somebody stored another one meanwhile.
                .where(Secret.id == row.id, Secret.envelope == row.envelope)
                .values(envelope=sealed),
            )
        return _record_moved(key_id, moved)


def _move_authenticators(key_id: str) -> int:
    """Those of all users: one each, and few beside the rest."""
    release()
    row_id, envelope = Authenticator.user_id, Authenticator.envelope
    rows = db.session.execute(
        select(row_id, envelope).where(select_key_id(envelope) != key_id)
    ).all()
    moved = 0
    for some in chunked(rows, AT_ONCE):
        with transaction() as session:
            part = 0
            for user_id, old in some:
                sealed = _reseal(old, bind_to_user(user_id))
                mine = update(Authenticator).where(row_id == user_id, envelope == old)
                if sealed is not None:
                    part += changed_one(session, mine.values(envelope=sealed))
            moved += _record_moved(key_id, part)
    return moved


def _move_settings(key_id: str) -> int:
    """The keys that no tenant owns: of digests, and of the audit trail."""
    moved = 0
    with transaction() as session:
        sealed_ones = select(InstallSetting).where(IS_SEALED).order_by(InstallSetting.key)
        for setting in session.scalars(sealed_ones.with_for_update()):
            if read_key_id(setting.value) == key_id:
                continue
            sealed = _reseal(setting.value, f"install/{setting.key}")
            if sealed is not None:
                setting.value, moved = sealed, moved + 1
        return _record_moved(key_id, moved)


def _reseal(envelope: str, bound_to: str) -> str | None:
    """None for one that cannot be opened."""
    vault = get_vault()
    try:
        return vault.seal(vault.open(envelope, bound_to), bound_to)
    except SecretUnreadable:
        return None


def _renew_digests(key_id: str) -> int | None:
    try:
        with transaction() as session:
            renewed = webhook_digests.renew(session)
            _record(Action.DIGESTS_RENEWED, key_id, {"digests": renewed})
            return renewed
    except SecretUnreadable:
        return None
