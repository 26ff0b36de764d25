"""Calling the `portal` command in this process: what a person types, and what it says."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest

from portal.cli import main


@dataclass(frozen=True, slots=True)
class Said:
    exit_code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)


def call_portal(environ: Mapping[str, str], *words: str, stdin: str = "") -> Said:
    """As in a shell that has these variables and no others."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(os, "environ", dict(environ))
        patch.setattr(sys, "argv", ["portal", *words])
        patch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as end:
            main()
    assert isinstance(end.value.code, int)
    return Said(end.value.code, _read(out), _read(err))


def _read(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
