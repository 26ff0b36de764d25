"""The OpenAPI document as a page shows it: by noun, with the arguments and the facts of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LIST = "List"
"""Ends the names of schemas of lists."""

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Term:
    """An argument or a fact. `kind` in words, `choices` where there are only some."""

    name: str
    kind: str
    text: str
    choices: list[str]


@dataclass(frozen=True, slots=True)
class Operation:
    """`facts` of what it answers; none where an earlier operation of the noun answers the same."""

    path: str
    summary: str
    description: str
    is_list: bool
    arguments: list[Term]
    facts: list[Term]


@dataclass(frozen=True, slots=True)
class Tag:
    """A noun."""

    name: str
    text: str
    operations: list[Operation]


def list_tags(document: Node) -> list[Tag]:
    """In the order of the document."""
    tags = {name: Tag(name, text, []) for name, text in _list_names(document)}
    told: set[str] = set()
    for path, methods in document["paths"].items():
        get: Node = methods["get"]
        parameters = [*methods.get("parameters", []), *get.get("parameters", [])]
        answer = _name_of(get["responses"]["200"]["content"]["application/json"]["schema"])
        record = answer.removesuffix(LIST)
        schema: Node = {} if record in told else document["components"]["schemas"][record]
        told.add(record)
        operation = Operation(
            path,
            get["summary"],
            get.get("description", ""),
            answer != record,
            [_to_term(each["name"], each["schema"] | each) for each in parameters],
            [_to_term(name, fact) for name, fact in schema.get("properties", {}).items()],
        )
        tags[get["tags"][0]].operations.append(operation)
    return list(tags.values())


def _list_names(document: Node) -> list[tuple[str, str]]:
    return [(tag["name"].removeprefix("api_"), tag["description"]) for tag in document["tags"]]


def _to_term(name: str, schema: Node) -> Term:
    words = [_name_of(schema) or schema.get("format") or schema.get("type", "anything")]
    if schema.get("nullable"):
        words.append("or null")
    if "default" in schema:
        words.append(f"({schema['default']} unless set)")
    return Term(name, " ".join(words), schema.get("description", ""), list(schema.get("enum", ())))


def _name_of(schema: Node) -> str:
    """Of the schema that is referred to; empty for one that stands here itself."""
    return str(schema.get("$ref", "")).rpartition("/")[2]
