"""What forms give back: what was typed, but no secret."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

import portal.web

pytestmark = pytest.mark.one_database

WEB = Path(portal.web.__file__).parent
SECRET = re.compile(r"password|secret|token|code|^(?!use_).*key")
URL = re.compile(r"url")
CANARY = "CANARY-0001"


def list_forms() -> list[type[FlaskForm]]:
    areas = [
        import_module(f"portal.web.{file.parent.name}.forms") for file in WEB.glob("*/forms.py")
    ]
    found = {value for area in areas for value in vars(area).values() if isinstance(value, type)}
    return sorted(
        (form for form in found if issubclass(form, FlaskForm) and form is not FlaskForm),
        key=lambda form: form.__name__,
    )


def fields_like(words: re.Pattern[str]) -> list[tuple[type[FlaskForm], str]]:
    return [
        (form, name)
        for form in list_forms()
        for name in vars(form)
        if words.search(name) and hasattr(getattr(form, name), "field_class")
    ]


def render(app: Flask, form: type[FlaskForm], name: str, typed: str) -> str:
    with app.test_request_context(method="POST"):
        return str(form(formdata=MultiDict({name: typed}), meta={"csrf": False})[name]())


@pytest.mark.parametrize(("form", "name"), fields_like(SECRET))
def test_no_code_or_password_comes_back(app: Flask, form: type[FlaskForm], name: str) -> None:
    assert CANARY not in render(app, form, name, CANARY)


@pytest.mark.parametrize(("form", "name"), fields_like(URL))
@pytest.mark.parametrize("scheme", ["https://", "//", ""])
def test_an_address_comes_back_without_its_password(
    app: Flask, form: type[FlaskForm], name: str, scheme: str
) -> None:
    rendered = render(app, form, name, f"{scheme}ann:{CANARY}@rmm.example/hook?of=a@b.example")

    assert CANARY not in rendered
    assert f'value="{scheme}rmm.example/hook?of=a@b.example"' in rendered
