"""Recovery codes: ten that a person keeps on paper, each of which stands in for a factor once."""

from __future__ import annotations

import secrets

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal.db import changed_one
from portal.errors import InvalidInput
from portal.models import RecoveryCode
from portal.services.accounts.tokens import digest

CODES = 10
FEW = 2
"""So many left are reason for a warning."""
GROUPS, GROUP_LETTERS = 5, 5
"""125 bits, which nobody finds by trying from a digest."""
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Without those that look like others; read as Crockford's base32 is."""
_READ_AS = str.maketrans("oil", "011")


def make_codes(session: Session, user_id: int) -> list[str]:
    """New ones in place of all earlier ones. Shown now or never: their digests alone are kept."""
    forget_codes(session, user_id)
    codes = ["".join(map(secrets.choice, [LETTERS] * GROUPS * GROUP_LETTERS)) for _ in range(CODES)]
    session.add_all(RecoveryCode(user_id=user_id, digest=digest(code)) for code in codes)
    session.flush()
    return [_in_groups(code) for code in codes]


def use_code(session: Session, user_id: int, code: str) -> None:
    """Raises InvalidInput for one that is wrong or was used."""
    typed = "".join(letter for letter in code.lower() if letter.isalnum()).translate(_READ_AS)
    used = delete(RecoveryCode).where(
        RecoveryCode.user_id == user_id, RecoveryCode.digest == digest(typed)
    )
    if not changed_one(session, used):
        raise InvalidInput(
            "This recovery code is not valid. Each works once, and new ones end the old ones.",
            field="recovery_code",
        )


def forget_codes(session: Session, user_id: int) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def count_codes(session: Session, user_id: int) -> int:
    """How many are left."""
    count = select(func.count()).where(RecoveryCode.user_id == user_id)
    return session.scalar(count) or 0


def _in_groups(code: str) -> str:
    starts = range(0, len(code), GROUP_LETTERS)
    return "-".join(code[start : start + GROUP_LETTERS] for start in starts)
