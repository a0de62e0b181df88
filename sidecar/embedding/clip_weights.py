"""Which weights and overrides a CLIP model has, and what tells two versions of them apart; with no heavy library."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.weights import local_path
from sidecar.errors import ModelLoadError

HUB_PREFIX = "hf-hub:"
FOLDER_PREFIX = "local-dir:"
CONFIG_FILE = "open_clip_config.json"
"""open_clip's configuration of a model, in a folder or a hub repository beside its weights."""

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class ClipSource:
    """One CLIP model as open_clip can build it.

    ``repository`` is ``ARCHITECTURE/TAG`` for weights that open_clip knows, ``hf-hub:OWNER/NAME``, or with a ``path``
    the architecture alone. ``path`` is a folder with `CONFIG_FILE` or a checkpoint; empty for none. ``is_openai`` says
    that a checkpoint is of OpenAI's kind, with QuickGELU. The others override what the model's configuration says:
    ``mean`` and ``std`` of the colours, the ``tokenizer`` (``clip`` or a name on the hub), ``image_size`` in pixels.
    """

    repository: str
    path: str = ""
    is_openai: bool = False
    mean: Colour | None = None
    std: Colour | None = None
    tokenizer: str | None = None
    image_size: int | None = None

    @property
    def place(self) -> str:
        """Where the weights are, as messages name it."""
        return self.path or self.repository

    def as_json(self) -> str:
        """JSON text that `read_source` reads."""
        return orjson.dumps(asdict(self)).decode()


def read_source(text: str) -> ClipSource:
    """Undo `ClipSource.as_json`."""
    values = orjson.loads(text)
    for key in ("mean", "std"):
        values[key] = tuple(values[key]) if values[key] is not None else None
    return ClipSource(**values)


def clip_source(spec: ModelSpec, path: Path | None) -> ClipSource:
    """The source of the model, whose files lie at ``path`` where its name does not say so."""
    repository = spec.repository
    if repository.startswith((FOLDER_PREFIX, "/", "./", "../", "~")):
        path, repository = local_path(repository.removeprefix(FOLDER_PREFIX)), ""
    mean, std = spec.option("mean"), spec.option("std")
    return ClipSource(
        repository=repository,
        path=str(path.absolute()) if path is not None else "",
        is_openai=path is not None and spec.loader in ("clip", "fp16_clip"),
        mean=tuple(mean) if mean else None,
        std=tuple(std) if std else None,
        tokenizer=spec.option("tokenizer"),
        image_size=spec.option("image_size"),
    )


def revision(source: ClipSource) -> str | None:
    """A file name's worth of letters that changes when the weights or the overrides do.

    None for a hub repository that neither this machine nor the hub gives now.
    Raises: ModelLoadError where the path has no model.
    """
    if source.path:
        weights = _of_path(Path(source.path))
    elif source.repository.startswith(HUB_PREFIX):
        commit = _commit(source.repository.removeprefix(HUB_PREFIX))
        if commit is None:
            return None
        weights = commit
    else:
        # What a tag stands for never changes.
        weights = "tag"
    return f"{weights[:16]}-{overrides(source)}"


def overrides(source: ClipSource) -> str:
    """A digest of all but the weights."""
    text = replace(source, path="").as_json()
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _of_path(path: Path) -> str:
    if not path.exists():
        raise ModelLoadError(
            f"model files not found: {path} is not there. Give a checkpoint, or a folder with {CONFIG_FILE} and weights"
        )
    if path.is_dir() and not (path / CONFIG_FILE).is_file():
        raise ModelLoadError(
            f"model files not found: folder {path} has no {CONFIG_FILE}. Name the checkpoint itself, with the "
            "architecture as 'name', or add the configuration as open_clip saves it"
        )
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            facts = file.stat()
            digest.update(f"{file.relative_to(path.parent)}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _commit(repository: str) -> str | None:
    """The commit of the repository in the cache, else of the hub's newest, whose configuration is fetched for it."""
    from huggingface_hub import hf_hub_download

    for is_local in (True, False):
        try:
            # .../snapshots/COMMIT/open_clip_config.json
            return Path(hf_hub_download(repository, CONFIG_FILE, local_files_only=is_local)).parent.name
        except Exception:
            continue
    return None
