#!/usr/bin/env bash
# Makes the virtual environment $VENV and installs the sidecar into it, with uv, or with venv and pip where uv can't be had.
set -euo pipefail

packages=".[minilm,test,docs,lint]"

find_uv() {
    command -v uv && return
    "$PYTHON" -m venv "$VENV-uv" >&2 && "$VENV-uv/bin/pip" install --quiet uv >&2 && echo "$VENV-uv/bin/uv"
}

if uv=$(find_uv); then
    [ -x "$VENV/bin/python" ] || "$uv" venv --quiet --python "$PYTHON" "$VENV"
    "$uv" pip install --quiet --python "$VENV/bin/python" --constraint constraints.txt --editable "$packages"
else
    echo "uv can't be had; installing with pip" >&2
    [ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
    "$VENV/bin/pip" install --quiet --constraint constraints.txt --editable "$packages"
fi
