"""What pyproject.toml cannot say: the migrations beside the package are installed within it."""

from setuptools import find_packages, setup

MIGRATIONS = {
    "portal.migrations": "migrations",
    "portal.migrations.versions": "migrations/versions",
}

OURS = ["portal*", "tactical_simulator*"]

setup(packages=[*find_packages(include=OURS), *MIGRATIONS], package_dir=MIGRATIONS)
