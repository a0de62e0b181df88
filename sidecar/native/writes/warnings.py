"""The warning that goes with an answer to a script on documents with computed vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sidecar.native.request import NativeAnswer


def with_script_warning(answer: NativeAnswer, vectors: Sequence[str]) -> NativeAnswer:
    """The answer with the warning; as it is, where scripts touched no vectors."""
    if not vectors:
        return answer
    names = ", ".join(dict.fromkeys(vectors)).encode("ascii", "replace").decode("ascii").replace('"', "'")
    warning = f'299 sidecar "vectors of [{names}] are not recomputed by scripts"'
    return replace(answer, headers=[*answer.headers, ("Warning", warning)])
