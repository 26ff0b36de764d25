"""Whether a page's session is still there: what the page asks, to be cleared when it is not."""

from __future__ import annotations

from flask import g
from flask.typing import ResponseReturnValue

from portal.web.auth.views import auth
from portal.web.guard import find_user


@auth.get("/session")
def show_session() -> ResponseReturnValue:
    """Asking is no use of the session: a page that is left open does not keep it."""
    user = find_user()
    if user is None:
        return {}, 401
    return {"user": user.id, "seconds": g.session_seconds}
