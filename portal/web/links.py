"""Links with a code that opens something. The code stands after the #, which browsers send to
nobody: no log of a server or a proxy has it. A script of the page that the link leads to sends it
on in a form; without scripts it is pasted."""

from __future__ import annotations

import re

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from portal.web.forms import CodeField

OLD = "<string(minlength=43):code>"
"""Ends the addresses of links that were made when the code was a part of the path."""


class LinkForm(FlaskForm):  # type: ignore[misc]
    code = CodeField("Link")


def ask_for_code(endpoint: str) -> Response:
    """The page that a link leads to, or that asks again. `endpoint` is sent the code, as `code`."""
    form = LinkForm()
    if form.is_submitted():
        form.code.errors = ["Paste the whole link, or what stands after its #."]
    page = render_template("code_of_link.html", form=form, action=url_for(endpoint))
    return make_response(page, 422 if form.is_submitted() else 200)


def read_code() -> str:
    """What a form carries: the code, or the whole link, as somebody pasted it."""
    return re.split("[/#]", request.form.get("code", "").strip())[-1]


def lead_on(endpoint: str, code: str) -> ResponseReturnValue:
    """From a link of old to that of today."""
    return redirect(url_for(endpoint, _anchor=code))
