"""Writes that happen inside the cluster, `_reindex` and `_update_by_query`, where no model can look at documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sidecar.native.declarations.declaration import IndexFacts
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused
from sidecar.native.json.spans import Array, Node, NotJson, Object, read
from sidecar.native.parts import NativeCall
from sidecar.native.writes.recipes import NO_PIPELINE, Recipes
