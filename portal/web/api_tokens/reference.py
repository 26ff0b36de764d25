"""The OpenAPI document as a page shows it: by noun, with the arguments and the facts of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LIST = "List"
"""Ends the names of schemas of lists."""


@dataclass(frozen=True, slots=True)
class Term:
    """An argument or a fact. `kind` in words, `choices` where there are only some."""

    name: str
    kind: str
    text: str
    choices: list[str]


@dataclass(frozen=True, slots=True)
class Operation:
    path: str
    summary: str
    description: str
    arguments: list[Term]
    is_list: bool
    schema: str


@dataclass(frozen=True, slots=True)
class Tag:
    """A noun: its addresses, and the facts of what they answer, by the name of the schema."""

    name: str
    text: str
    operations: list[Operation]
    schemas: dict[str, list[Term]]


def list_operations(document: dict[str, Any]) -> list[Tag]:
    """In the order of the document."""
    tags = {
        tag["name"].removeprefix("api_"): Tag(
            tag["name"].removeprefix("api_"), tag["description"], [], {}
        )
        for tag in document["tags"]
    }
    for path, methods in document["paths"].items():
        shared = methods.get("parameters", [])
        get = methods["get"]
        tag, operation = tags[get["tags"][0]], _to_operation(path, get, shared)
        tag.operations.append(operation)
        described = document["components"]["schemas"][operation.schema]
        tag.schemas.setdefault(operation.schema, _to_terms(described))
    return list(tags.values())


def _to_operation(path: str, get: dict[str, Any], shared: list[Any]) -> Operation:
    content = get["responses"]["200"]["content"]["application/json"]
    name = _name_of(content["schema"])
    return Operation(
        path=path,
        summary=get["summary"],
        description=get.get("description", ""),
        arguments=[
            _to_term(each["name"], each["schema"], each.get("description", ""))
            for each in (*shared, *get.get("parameters", []))
        ],
        is_list=name.endswith(LIST),
        schema=name.removesuffix(LIST),
    )


def _to_terms(schema: dict[str, Any]) -> list[Term]:
    return [
        _to_term(name, fact, fact.get("description", ""))
        for name, fact in schema["properties"].items()
    ]


def _to_term(name: str, schema: dict[str, Any], text: str) -> Term:
    words = [_name_of(schema) or schema.get("format") or schema.get("type", "anything")]
    if schema.get("nullable"):
        words.append("or null")
    if "default" in schema:
        words.append(f"({schema['default']} unless set)")
    return Term(name, " ".join(words), text, list(schema.get("enum", ())))


def _name_of(schema: dict[str, Any]) -> str:
    """Of the schema that is referred to; empty for one that stands here itself."""
    return str(schema.get("$ref", "")).rpartition("/")[2]
