"""What a process makes ready before it forks: in one of its own, since tests use the models."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.servers

SCRIPT = """
import portal.core
from portal.db import Base
from portal.supervisor.memory import settle

settle()
print(all(mapper.configured for mapper in Base.registry.mappers))
"""


NO_WORK_NEEDS = {"alembic", "portal.app", "portal.web", "segno", "webauthn"}

LIST_MODULES = """
import sys
import portal.core, portal.jobs, portal.supervisor.run
print(*sys.modules)
"""


def test_forks_find_the_models_joined() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, check=True
    )
    assert said.stdout == "True\n"


def test_workers_and_the_clock_do_without_pages_and_migrations() -> None:
    said = subprocess.run(
        [sys.executable, "-c", LIST_MODULES], stdout=subprocess.PIPE, text=True, check=True
    )
    assert NO_WORK_NEEDS & set(said.stdout.split()) == set()
