#!/bin/sh
# Makes the first revision anew from the models. Only until the first release: after that,
# every change of the models is a revision of its own (see migrations/README.md).
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
rm -f migrations/versions/0001_*.py
PORTAL_DATA_DIR=$folder DATABASE_URL="" .venv/bin/flask --app wsgi db migrate -m first --rev-id 0001
sed -i "/^ *# ### /d" migrations/versions/0001_first.py
.venv/bin/ruff format -q migrations/versions
.venv/bin/ruff check -q --fix migrations/versions
