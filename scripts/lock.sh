#!/bin/sh
# Makes both lock files anew, with the newest versions that pyproject.toml allows.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || {
    echo "Making the lock files needs uv: https://docs.astral.sh/uv/" >&2
    exit 1
}
compile() {
    uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate --group build "$@" pyproject.toml
}
compile -o requirements.txt
compile --group dev -o requirements-dev.txt
