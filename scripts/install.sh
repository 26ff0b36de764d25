#!/bin/sh
# Makes .venv from a lock file: install.sh requirements.txt
# Does nothing when it is up to date. Uses uv where there is one, else venv and pip.
set -eu
cd "$(dirname "$0")/.."
lock=$1
python=.venv/bin/python

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

# What an up-to-date environment was made from; it cannot be moved to another folder.
fingerprint() {
    { pwd; cat "$1" pyproject.toml; } | cksum
}

is_up_to_date() {
    [ -f ".venv/.$1" ] && [ "$(cat ".venv/.$1")" = "$(fingerprint "$1")" ] &&
        [ -x .venv/bin/portal ] && $python -c '' 2>/dev/null
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        newest=$name
        "$name" -c 'import venv, ensurepip' 2>/dev/null || continue
        echo "$name"
        return
    done
    [ -n "${newest:-}" ] || fail \
        "The portal needs Python 3.11 or newer. On Debian or Ubuntu: apt-get install python3 python3-venv"
    command -v uv >/dev/null || fail \
        "$newest has no venv module. On Debian or Ubuntu: apt-get install python3-venv"
    echo "$newest"
}

# What uv and pip read from their settings differs (pip's mirrors, for one): where uv cannot, pip may.
with_uv() {
    command -v uv >/dev/null || return 1
    [ -x $python ] || uv venv --quiet --python "$found" .venv || return 1
    uv pip install --quiet --python $python --require-hashes -r "$lock" || return 1
    uv pip install --quiet --python $python --no-deps --no-build-isolation -e .
}

with_pip() {
    [ -x .venv/bin/pip ] || "$found" -m venv --clear .venv
    $python -m pip install -qq --disable-pip-version-check --require-hashes -r "$lock"
    $python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
}

is_up_to_date "$lock" && exit 0
found=$(find_python)
$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || rm -rf .venv
echo "Installing into .venv (from $lock) …" >&2
with_uv || with_pip

fingerprint "$lock" >".venv/.$lock"
# The development lock holds every version of the other one.
[ "$lock" = requirements.txt ] || fingerprint requirements.txt >.venv/.requirements.txt
