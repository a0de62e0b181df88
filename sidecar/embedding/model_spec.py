"""What the sidecar must know of a model before it loads it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

Precision = Literal["float32", "float16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("float32", "float16", "int8")
CPU = "cpu"


@dataclass(frozen=True, slots=True)
class ModelAuth:
    """A client's credentials for where a model's files lie; used when it is loaded, and kept nowhere.

    ``kind`` is ``s3``, ``hf`` or ``endpoint``; ``values`` are its keys as the client sent them.
    """

    kind: str
    values: tuple[tuple[str, str], ...] = field(repr=False)

    def value(self, key: str) -> str | None:
        """The credential of that key."""
        return dict(self.values).get(key)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model: its kind, its files, and how it is run.

    ``repository`` is a hub repository, a local folder or file, or for CLIP ``ARCHITECTURE/TAG`` as open_clip names
    them. ``max_tokens`` counts special tokens; longer texts are cut. ``size_gigabytes`` is the user's own estimate of
    the loaded size, or None. ``location`` says where else the files lie, and ``options`` are what only one kind of
    model has, both as JSON text with sorted keys, empty where there is nothing to say.
    """

    name: str
    loader: str
    repository: str
    dimensions: int
    max_tokens: int
    text_query_prefix: str | None = None
    text_chunk_prefix: str | None = None
    size_gigabytes: float | None = None
    precision: Precision = "float32"
    location: str = ""
    options: str = ""
    device: str = CPU
    auth: ModelAuth | None = field(default=None, compare=False, repr=False)

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for models that are one in memory: one copy serves them all."""
        return (*self._content, self.device)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change when the model's vectors do."""
        text = "\0".join(str(part) for part in self._content)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def _content(self) -> tuple[object, ...]:
        base = (self.loader, self.repository, self.dimensions, self.max_tokens)
        # What is at its default is left out, so that vectors of earlier versions keep their fingerprints.
        others = (self.precision, self.location, self.options)
        return base if others == ("float32", "", "") else (*base, *others)

    def option(self, key: str, default: Any = None) -> Any:
        """One of the options."""
        return orjson.loads(self.options).get(key, default) if self.options else default


def as_options(values: dict[str, Any]) -> str:
    """The JSON text of ``options`` or ``location`` for these values; empty for none."""
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode() if values else ""
