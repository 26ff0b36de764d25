"""Encryption keys: what hangs on each, everything moved to a new one, an old one removed.

How far a rotation is stands in the envelopes themselves, each of which names its key. So it
goes on where it was, however it ended, and other processes read and write all the while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.db import changed_one, db, release, transaction
from portal.errors import InvalidInput, NotFound, Refused, SecretUnreadable
from portal.keys import KeyFile
from portal.models import Authenticator, InstallSetting, Secret
from portal.scope import all_tenants
from portal.services.accounts.second_factors.totp import bind_to_user
from portal.services.audit import keys as audit_keys
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record_in
from portal.services.webhook import digests as webhook_digests
from portal.vault import VERSION, bind_to, get_vault, read_key_id

Envelope = Row[int, int, str, int, str, str]
"""Id, tenant, and what it is bound to besides: owner, the owner's id, field; the envelope."""

AT_ONCE = 200
"""Envelopes in a transaction: nobody waits for longer than these take."""

_IS_SEALED = or_(
    InstallSetting.key == webhook_digests.SETTING,
    InstallSetting.key.startswith(audit_keys.PREFIX, autoescape=True),
)
"""Of the install's settings: keys that no tenant owns."""
_PLACES: tuple[tuple[InstrumentedAttribute[str], ColumnElement[bool] | None], ...] = (
    (Secret.envelope, None),
    (Authenticator.envelope, None),
    (InstallSetting.value, _IS_SEALED),
)
_LOCK_PLACES = "LOCK TABLE secrets, authenticators IN SHARE ROW EXCLUSIVE MODE"


@dataclass(frozen=True, slots=True)
class KeyUse:
    """`envelopes`: how many hang on it. A key that is not `present` is known by them alone."""

    key_id: str
    envelopes: int
    encrypts: bool = False
    present: bool = True


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


def list_keys() -> list[KeyUse]:
    """Those of this install in their order, then others that envelopes name."""
    with all_tenants():
        counts = _count(db.session())
    present = list(get_vault().keys)
    uses = [KeyUse(key_id, counts.pop(key_id, 0), key_id == present[0]) for key_id in present]
    return uses + [KeyUse(key_id, n, present=False) for key_id, n in sorted(counts.items())]


def rotate_keys() -> KeyRotation:
    """Encrypt everything with the first key; with a new one when all hangs on the first already.

    Raises Refused where a new one would have to come from PORTAL_ENCRYPTION_KEYS.
    """
    keys = get_vault().keys
    made = not _is_begun()
    if made:
        if not isinstance(keys, KeyFile):
            raise Refused(
                "Everything is already encrypted with the first key of PORTAL_ENCRYPTION_KEYS. To "
                "rotate, put a new key before it, restart the portal, and run this command again."
            )
        keys.put_first()
    moved = 0
    with all_tenants():
        # Until nothing was written meanwhile with an old one; another rotation may make a newer.
        while some := _move_all(next(iter(keys))):
            moved += some
        key_id = next(iter(keys))
        unreadable = sum(n for name, n in _count(db.session()).items() if name != key_id)
        release()
    digests = _renew_digests()
    with transaction():
        after = {"encrypts": key_id, "is_new": made, "moved": moved, "unreadable": unreadable}
        record_in([None], Action.KEYS_ROTATED, Target("key", key_id, key_id), after=after)
    return KeyRotation(key_id, made, moved, unreadable, digests)


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
        hanging = _count(session).get(key_id, 0)
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
        record_in([None], Action.KEY_REMOVED, Target("key", key_id, key_id))


def _is_begun() -> bool:
    """Whether something still hangs on an older key, which is there."""
    return any(use.envelopes for use in list_keys() if use.present and not use.encrypts)


def _count(session: Session) -> dict[str, int]:
    """Key id to envelopes, over the secrets of all tenants, of users and of the install."""
    counts: dict[str, int] = {}
    for column, only in _PLACES:
        key_id = _select_key_id(column)
        query = select(key_id, func.count()).group_by(key_id)
        for name, number in session.execute(query if only is None else query.where(only)):
            counts[name] = counts.get(name, 0) + number
    return counts


def _select_key_id(envelope: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """The second word, in the words of both databases; all that is left where no word ends."""
    rest = func.substr(envelope, len(VERSION) + 2)
    find = func.strpos if db.engine.dialect.name == "postgresql" else func.instr
    return func.substr(rest, 1, find(rest.concat("."), ".") - 1)


def _move_all(key_id: str) -> int:
    """One look through everything; how many were moved."""
    moved, after = _move_settings(key_id) + _move_authenticators(key_id), 0
    while rows := _list_others(key_id, after):
        moved += _move(rows)
        after = rows[-1].id
    return moved


def _list_others(key_id: str, after: int) -> Sequence[Envelope]:
    """Some that hang on another key than this one, in the order of their ids."""
    release()
    columns = (Secret.id, Secret.tenant_id, Secret.owner, Secret.owner_id, Secret.field)
    return db.session.execute(
        select(*columns, Secret.envelope)
        .where(Secret.id > after, _select_key_id(Secret.envelope) != key_id)
        .order_by(Secret.id)
        .limit(AT_ONCE)
    ).all()


def _move(rows: Sequence[Envelope]) -> int:
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
    return moved


def _move_authenticators(key_id: str) -> int:
    """Those of all users: one each, and few beside the rest."""
    release()
    row_id, envelope = Authenticator.user_id, Authenticator.envelope
    rows = db.session.execute(
        select(row_id, envelope).where(_select_key_id(envelope) != key_id)
    ).all()
    moved = 0
    for user_id, old in rows:
        sealed = _reseal(old, bind_to_user(user_id))
        if sealed is not None:
            with transaction() as session:
                moved += changed_one(
                    session,
                    update(Authenticator)
                    .where(row_id == user_id, envelope == old)
                    .values(envelope=sealed),
                )
    return moved


def _move_settings(key_id: str) -> int:
    """The keys that no tenant owns: of digests, and of the audit trail."""
    moved = 0
    with transaction() as session:
        sealed_ones = select(InstallSetting).where(_IS_SEALED).order_by(InstallSetting.key)
        for setting in session.scalars(sealed_ones.with_for_update()):
            if read_key_id(setting.value) == key_id:
                continue
            sealed = _reseal(setting.value, f"install/{setting.key}")
            if sealed is not None:
                setting.value, moved = sealed, moved + 1
    return moved


def _reseal(envelope: str, bound_to: str) -> str | None:
    """None for one that cannot be opened."""
    vault = get_vault()
    try:
        return vault.seal(vault.open(envelope, bound_to), bound_to)
    except SecretUnreadable:
        return None


def _renew_digests() -> int | None:
    try:
        with transaction() as session:
            return webhook_digests.renew(session)
    except SecretUnreadable:
        return None
