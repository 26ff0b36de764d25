"""What the forms of all areas share."""

from __future__ import annotations

from flask_wtf import FlaskForm

from portal.errors import InvalidInput, PortalError


def mark(form: FlaskForm, error: PortalError, otherwise: str | None = None) -> None:
    """Put a service's refusal beside its field, or above the form when it has none."""
    field = error.field if isinstance(error, InvalidInput) else otherwise
    if field in form:
        form[field].errors = [*form[field].errors, error.message]
    else:
        form.form_errors.append(error.message)
