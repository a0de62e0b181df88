#!/usr/bin/env bash
# Makes the virtual environment $VENV and installs the sidecar into it, with uv, or with venv and pip where uv can't be had.
set -euo pipefail

packages=".[minilm,test,docs,lint]"

fail() {
    echo "$1 Install one, or name one that is there: make PYTHON=/path/to/python3" >&2
    exit 1
}

find_uv() {
    command -v uv && return
    "$PYTHON" -m venv "$VENV-uv" >&2 && "$VENV-uv/bin/pip" install --quiet uv >&2 && echo "$VENV-uv/bin/uv"
}

command -v "$PYTHON" > /dev/null || fail "There is no $PYTHON here, and Python 3.10 or later is needed."
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
    || fail "$PYTHON is $("$PYTHON" --version 2>&1), and Python 3.10 or later is needed."

echo "Installing into $VENV; what is not in a cache is downloaded, up to 6 GB, which takes minutes" >&2
quiet=(--quiet)
# On a terminal uv and pip show how far they are.
[ ! -t 2 ] || quiet=()

if uv=$(find_uv); then
    [ -x "$VENV/bin/python" ] || "$uv" venv --quiet --python "$PYTHON" "$VENV"
    "$uv" pip install "${quiet[@]}" --python "$VENV/bin/python" --constraint constraints.txt --editable "$packages"
else
    echo "uv can't be had; installing with pip" >&2
    [ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
    "$VENV/bin/pip" install "${quiet[@]}" --constraint constraints.txt --editable "$packages"
fi
