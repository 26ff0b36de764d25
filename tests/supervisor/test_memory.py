"""What a process makes ready before it forks: in one of its own, since tests use the models."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import portal.app
from portal.db import Base
from portal.supervisor.memory import settle

settle()
print(all(mapper.configured for mapper in Base.registry.mappers))
"""


def test_forks_find_the_models_joined() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, check=True
    )
    assert said.stdout == "True\n"
