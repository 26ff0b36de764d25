"""Fields of the API's schemas. Those of answers only describe what services make; those of
arguments read what was sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from portal.services.api.paging import DEFAULT_ITEMS, MOST_ITEMS
from portal.services.database import LARGEST_ID

ID = "^[0-9]+$"
CURSOR = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$"
"""As itsdangerous signs with SHA-256."""
LONGEST_TEXT = 200
NO_NUL = r"^[^\x00]*$"


class Record(Schema):
    """Of an answer: exactly these facts, each of them always there."""

    class Meta:
        unknown = RAISE


class Arguments(Schema):
    """Of a request: an argument that is not known is an error, and not a filter that does
    nothing."""

    error_messages = {"unknown": "There is no such argument here."}  # noqa: RUF012  # as its base

    class Meta:
        unknown = RAISE


def texts(description: str) -> fields.Field[Any]:
    return fields.List(fields.String(), required=True, metadata={"description": description})


def text(description: str, nullable: bool = False, **more: Any) -> fields.String:
    return fields.String(
        required=True, allow_none=nullable, metadata={"description": description, **more}
    )


def number(description: str, nullable: bool = False) -> fields.Integer:
    return fields.Integer(required=True, allow_none=nullable, metadata={"description": description})


def yes_or_no(description: str) -> fields.Boolean:
    return fields.Boolean(required=True, metadata={"description": description})


def moment(description: str, nullable: bool = False) -> fields.String:
    return text(description, nullable, format="date-time")


def day(description: str, nullable: bool = False) -> fields.String:
    return text(description, nullable, format="date")


def row_id(description: str, nullable: bool = False) -> fields.String:
    return text(description, nullable, pattern=ID)


def page_address() -> fields.String:
    return text("The page in the portal.", True, format="uri")


def anything(description: str) -> fields.Raw:
    return fields.Raw(required=True, allow_none=True, metadata={"description": description})


def search(description: str) -> fields.String:
    rules = [validate.Length(max=LONGEST_TEXT), validate.Regexp(NO_NUL, error="Leave NUL out.")]
    return fields.String(validate=rules, metadata={"description": description})


def one_of(words: Iterable[str], description: str) -> fields.String:
    choices = [str(word) for word in words]
    rule = validate.OneOf(choices, error="Choose one of {choices}.")
    return fields.String(validate=rule, metadata={"description": description})


def wanted_id(description: str) -> fields.Integer:
    rule = validate.Range(1, LARGEST_ID, error="This cannot be an id.")
    return fields.Integer(validate=rule, metadata={"description": description})


def wanted_day(description: str) -> fields.Date:
    problem: dict[str, Any] = {"invalid": "Enter a day like 2026-10-31."}
    return fields.Date(format="iso", error_messages=problem, metadata={"description": description})


class ListArguments(Arguments):
    """What every list takes."""

    limit = fields.Integer(
        load_default=DEFAULT_ITEMS,
        validate=validate.Range(1, MOST_ITEMS, error="Choose a number from {min} to {max}."),
        metadata={"description": "How many items at most."},
    )
    cursor = fields.String(
        validate=[
            validate.Length(max=2000),
            validate.Regexp(CURSOR, error="Take `next` of the answer before as it is."),
        ],
        metadata={"description": "`next` of the answer before, with the same filters."},
    )


def list_of(record: type[Schema]) -> type[Schema]:
    """The schema of a part of a list."""
    items = fields.List(fields.Nested(record), required=True)
    following = text("The cursor of what follows; null at the end.", nullable=True)
    return Record.from_dict({"items": items, "next": following}, name=f"{record.__name__}List")
