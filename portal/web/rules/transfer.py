"""Rules, windows, channels and helpdesks as one file: taken out, and taken over after a look."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.clock import utc_now
from portal.errors import InvalidInput, Refused
from portal.services.accounts.permissions import Permission
from portal.services.rules.file.content import write_content
from portal.services.rules.file.importing import apply_import, digest, preview_import
from portal.services.rules.file.outcome import Import
from portal.services.rules.file.reading import MOST_BYTES
from portal.web.guard import get_tenant, get_user, requires
from portal.web.rules.views import rules
from portal.wording import plural

ANOTHER = "This is another file than the one shown below. Look at what it would change first."


@rules.get("/file")
@requires(Permission.CHANGE_SETTINGS)
def transfer() -> ResponseReturnValue:
    return _page()


@rules.get("/file.yaml")
@requires(Permission.READ_RULES)
def export() -> ResponseReturnValue:
    name = f"alert-rules-{get_tenant().slug}-{utc_now():%Y-%m-%d}.yaml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(write_content(), mimetype="application/yaml", headers=headers)


@rules.post("/file")
@requires(Permission.CHANGE_SETTINGS)
def take_over() -> ResponseReturnValue:
    """Only the file that was looked at; a browser that has forgotten it asks for it again."""
    sent = request.files.get("file")
    file = sent.read(MOST_BYTES + 1) if sent else b""
    by, looked_at = get_user().email, request.form.get("looked_at", "")
    try:
        if not file:
            raise InvalidInput("Choose a file.", field="file")
        if request.form.get("do") != "apply" or digest(file) != looked_at:
            problem = ANOTHER if request.form.get("do") == "apply" else None
            return _page(preview_import(file, by), problem)
        done = apply_import(file, by)
    except (InvalidInput, Refused) as error:
        return _page(problem=error.message), 422
    flash(f"Took over {plural(len(done.changes), 'change')}.", "success")
    return redirect(url_for("rules.index"))


def _page(looked_at: Import | None = None, problem: str | None = None) -> str:
    return render_template("rules/file.html", looked_at=looked_at, problem=problem)
