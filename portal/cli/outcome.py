"""The outcome of a command, and how it is shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from portal.errors import PortalError
from portal.supervisor.escaping import escape_lines

SUCCESS, FAILED, PARTIAL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to: `data` for programs, `text` for people."""

    data: dict[str, Any]
    text: str = ""
    exit_code: int = SUCCESS
    lines: Iterator[str] | None = field(default=None)
    """Long output, printed as it comes in place of `data` and `text`."""


def failure(error: PortalError) -> dict[str, Any]:
    """What `--json` prints when a command fails, unless the command has a shape of its own."""
    return {"ok": False, "fault": getattr(error, "fault", "refused"), "message": error.message}


def columns(rows: Sequence[Sequence[str]]) -> str:
    """The rows as lines of text, each column as wide as its longest word."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def show(outcome: Outcome, as_json: bool) -> None:
    if outcome.lines is not None:
        for line in outcome.lines:
            sys.stdout.write(line)
    elif as_json:
        click.echo(json.dumps(outcome.data, ensure_ascii=False))
    elif outcome.text:
        click.echo(escape_lines(outcome.text))


def show_failure(error: PortalError, data: dict[str, Any] | None) -> None:
    click.echo(escape_lines(f"portal: {error.message}"), err=True)
    if data is not None:
        click.echo(json.dumps(data, ensure_ascii=False))
