"""Flask extensions, made here and bound to an application in `create_app`."""

from __future__ import annotations

import hashlib
import secrets

import flask_wtf.csrf
from flask import current_app, session
from flask_htmx import HTMX
from flask_wtf.csrf import CSRFProtect, generate_csrf
from itsdangerous import Signer

csrf = CSRFProtect()
htmx = HTMX()


def make_form_token(secret_key: str | None = None, token_key: str | None = None) -> str:
    """As `generate_csrf` does, from random bytes as they are, where it would hash them by SHA-1."""
    name = token_key or current_app.config["WTF_CSRF_FIELD_NAME"]
    session.setdefault(name, secrets.token_hex(20))
    token: str = generate_csrf(secret_key, token_key)
    return token


flask_wtf.csrf.generate_csrf = make_form_token  # forms and templates look it up there
# Of the tokens of forms and the words of known devices: the library itself would take SHA-1.
Signer.default_digest_method = staticmethod(hashlib.sha256)
