"""What pyproject.toml cannot say: the migrations and documents beside the package are installed
within it, and the demo's simulated server is left out where PORTAL_WHEEL says `production`."""

import os
import shutil

from setuptools import find_packages, setup

BESIDE = {
    "portal.docs": "docs",
    "portal.migrations": "migrations",
    "portal.migrations.versions": "migrations/versions",
}

OURS = ["portal*"]
if os.environ.get("PORTAL_WHEEL") == "production":
    shutil.rmtree("build", ignore_errors=True)  # an earlier one left it there
else:
    OURS.append("tactical_simulator*")

setup(packages=[*find_packages(include=OURS), *BESIDE], package_dir=BESIDE)
