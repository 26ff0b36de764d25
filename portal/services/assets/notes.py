"""The note of an asset: what people should know of it, in their own words."""

from __future__ import annotations

from sqlalchemy import update

from portal.clock import utc_now
from portal.db import count_changed, transaction
from portal.errors import InvalidInput, Refused
from portal.models import Asset
from portal.models.assets.change import ChangeAction
from portal.services.assets.listing import get_asset
from portal.services.audit.actions import Action
from portal.services.audit.actor import current_actor
from portal.services.audit.record import Target, record
from portal.sync.history import ColumnChange, record_changes
from portal.sync.runs.cause import Cause

LONGEST_NOTE = 4000
"""One that two were merged into may have a longer one, until it is edited."""
_NO_NOTE = "none"


class NoteChanged(Refused):
    """Somebody else wrote it meanwhile."""


def name_version(asset: Asset) -> str:
    """Of the note as it is: what `write_note` compares. A note that was deleted has one too."""
    return asset.note_at.isoformat() if asset.note_at else _NO_NOTE


def write_note(asset_id: int, text: str, version: str, user_id: int | None = None) -> bool:
    """Whether it changed. `version`: of the note that its writer saw. A blank text deletes it.

    Raises InvalidInput, NotFound, and NoteChanged where somebody else was faster.
    """
    note = clean_note(text) or None
    with transaction() as session:
        asset = get_asset(asset_id)
        if note == asset.note:
            return False
        before = asset.note
        # By a condition: whoever writes at the same moment has read the same version.
        is_same = Asset.note_at.is_not_distinct_from(asset.note_at)
        write = update(Asset).where(Asset.id == asset_id, is_same)
        values = {"note": note, "note_at": utc_now(), "note_by": current_actor().name}
        if version != name_version(asset) or not count_changed(session, write.values(values)):
            raise NoteChanged(
                "Somebody else has changed the note since you opened this page. Put what you wrote "
                "together with theirs, and save it again."
            )
        change = ColumnChange(asset_id, ChangeAction.NOTED, "note", before, note)
        record_changes(session, Cause.of_person(user_id), [change])
        # The trail keeps one line, and the history the whole text.
        was, became = ({"note": text and " ".join(text.split())} for text in (before, note))
        record(Action.ASSET_NOTED, Target("asset", asset_id, asset.name), was, became)
    return True


def clean_note(text: str) -> str:
    """Without outer blanks and control characters. Raises InvalidInput where it is too long."""
    lines = (line.rstrip() for line in text.replace("\t", "    ").splitlines())
    seen = ("".join(each for each in line if each >= " ") for line in lines)
    note = "\n".join(seen).strip()
    if len(note) > LONGEST_NOTE:
        raise InvalidInput(
            f"A note has at most {LONGEST_NOTE:,} characters, and this has {len(note):,}.",
            field="note",
        )
    return note
