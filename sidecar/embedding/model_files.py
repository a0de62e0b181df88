"""The files of models that lie at a location: a folder or file of this machine, a URL, an S3 object, a hub repository.

What comes from elsewhere is kept in a folder of its own under the operator's downloads: fetched once by whoever comes
first, moved there when it is whole, and from then on used without asking again.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from filelock import FileLock, Timeout

from sidecar.embedding.archives import SUFFIXES, BadArchive, is_archive, model_root, unpack
from sidecar.embedding.clip_weights import CONFIG_FILE
from sidecar.embedding.downloads import DownloadFailed, file_name, from_s3, from_url
from sidecar.embedding.model_locations import AUTH_REQUIRED
from sidecar.embedding.model_options import CLIP_KINDS, TEXT_KINDS
from sidecar.embedding.model_spec import ModelAuth, ModelSpec, as_options
from sidecar.embedding.weights import find_weights, hub_file
from sidecar.errors import ModelLoadError

if TYPE_CHECKING:
    from sidecar.embedding.load import LoadContext

logger = logging.getLogger(__name__)

LOCK_SECONDS = 6 * 3600.0
CHECKPOINTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""What open_clip's repositories on the hub call their weights."""
_UNPACKED = "files"
_WEIGHT_SUFFIXES = {".safetensors", ".bin", ".pt", ".pth"}


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's folder, or its one file. ``revision`` changes when they do, and is fit for a file's name."""

    path: Path
    revision: str


def files_of(spec: ModelSpec, context: LoadContext) -> ModelFiles:
    """The files of a model with a location.

    They are a text model's folder; a CLIP model's checkpoint, or its folder where open_clip's configuration is there
    too; for a plug-in a folder, or the file as it is. Archives are unpacked.

    Downloads them now where they are not here. Raises: ModelLoadError naming the place, the reason and what to do.
    """
    location: dict[str, Any] = orjson.loads(spec.location)
    try:
        found = _find(spec, location, context)
        if spec.loader in CLIP_KINDS and found.path.is_dir():
            return replace(found, path=_checkpoint_in(found.path))
        return found
    except (DownloadFailed, BadArchive) as error:
        raise ModelLoadError(f"the files of model {spec.name!r} can't be had: {error}") from error
    except OSError as error:
        raise ModelLoadError(
            f"the files of model {spec.name!r} can't be kept in {context.access.downloads}: {error}. Make room there, "
            "or name another folder by SIDECAR_HOME"
        ) from error


def with_local_files(spec: ModelSpec, context: LoadContext) -> ModelSpec:
    """The spec of a text or CLIP model with its files on this machine, where a location or credentials say how.

    A text model's folder becomes its repository, a CLIP model's file or folder its location's ``path``.
    Raises: ModelLoadError.
    """
    if spec.location:
        path = str(files_of(spec, context).path)
        is_clip = spec.loader in CLIP_KINDS
        return replace(spec, location=as_options({"path": path})) if is_clip else replace(spec, repository=path)
    if spec.auth is not None and spec.auth.kind == "hf":
        # The loaders find it in the hub's cache then.
        find_weights(spec.repository, token=spec.auth.value("token"))
    return spec


def _find(spec: ModelSpec, location: Mapping[str, Any], context: LoadContext) -> ModelFiles:
    if "path" in location:
        return _local(spec, Path(location["path"]).expanduser(), context)
    auth = _checked_auth(location, spec.auth)
    if "hf" in location:
        return _from_hub(spec, location, auth, context)
    return _downloaded(spec, location, auth, context)


def _local(spec: ModelSpec, path: Path, context: LoadContext) -> ModelFiles:
    if not path.exists():
        raise DownloadFailed(f"there is no {path}. 'localpath' must name a file or folder of the sidecar's machine")
    facts = path.stat()
    revision = _digest(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}")
    if path.is_dir() or _takes_file(spec, path.name):
        return ModelFiles(path, revision)
    return _kept(context, revision, lambda folder: _unpack(path, folder / _UNPACKED))


def _from_hub(spec: ModelSpec, location: Mapping[str, Any], auth: ModelAuth | None, context: LoadContext) -> ModelFiles:
    repository: str = location["hf"]["repo_id"]
    name: str | None = location["hf"].get("filename")
    token = auth.value("token") if auth is not None else None
    if name is None and spec.loader not in CLIP_KINDS:
        weights = find_weights(repository, token=token)
        return ModelFiles(weights.folder, weights.revision)
    file = hub_file(repository, CHECKPOINTS if name is None else (name,), token=token)
    revision = _digest(str(file.resolve()))
    if _takes_file(spec, file.name):
        return ModelFiles(file, revision)
    return _kept(context, revision, lambda folder: _unpack(file, folder / _UNPACKED))


def _downloaded(
    spec: ModelSpec, location: Mapping[str, Any], auth: ModelAuth | None, context: LoadContext
) -> ModelFiles:
    place = {key: value for key, value in location.items() if key != AUTH_REQUIRED}
    takes_file = _takes_file(spec, file_name(place))
    revision = _digest(orjson.dumps([place, takes_file], option=orjson.OPT_SORT_KEYS).decode())

    def fetch(folder: Path) -> None:
        if location.get(AUTH_REQUIRED) and auth is None:
            kind = next(iter(place))
            raise DownloadFailed(f"model_location.auth_required is true; send the credentials as modelAuth.{kind}")
        logger.info("downloading model files name=%s", spec.name)
        file = folder / file_name(place)
        if "url" in place:
            from_url(place["url"], file, allow_private=context.access.allow_private)
        else:
            from_s3(place["s3"], file, auth)
        if not takes_file:
            _unpack(file, folder / _UNPACKED)
            file.unlink()

    return _kept(context, revision, fetch, is_file=takes_file)


def _kept(context: LoadContext, revision: str, fill: Callable[[Path], None], *, is_file: bool = False) -> ModelFiles:
    """What ``fill`` puts into a new folder, or did before; of threads and processes, one fills and the others wait."""
    downloads = context.access.downloads
    place = downloads / revision
    if not place.is_dir():
        downloads.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(downloads / f"{revision}.lock", timeout=LOCK_SECONDS):
                if not place.is_dir():
                    _fill(place, fill)
        except Timeout as error:
            raise DownloadFailed(f"another process has been fetching them into {place} for hours") from error
    return ModelFiles(next(place.iterdir()) if is_file else model_root(place), revision)


def _fill(place: Path, fill: Callable[[Path], None]) -> None:
    # Whoever was killed left its folder; the lock says that nobody is at work in it.
    for left in place.parent.glob(f".{place.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        fill(temporary)
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _unpack(archive: Path, folder: Path) -> None:
    if not is_archive(archive):
        raise DownloadFailed(
            f"{archive.name!r} is no zip or tar archive. Models need their whole folder: config.json, tokenizer and "
            "weights"
        )
    try:
        unpack(archive, folder)
    except BadArchive as error:
        raise BadArchive(f"the archive {archive.name!r} {error}") from error


def _takes_file(spec: ModelSpec, name: str) -> bool:
    """Whether the model takes that file as it is: a checkpoint, or what a plug-in understands; else it is unpacked."""
    return spec.loader not in TEXT_KINDS and not name.lower().endswith(SUFFIXES)


def _checkpoint_in(folder: Path) -> Path:
    """The checkpoint of a CLIP model's folder; the folder itself where open_clip's configuration is beside it."""
    if (folder / CONFIG_FILE).is_file():
        return folder
    named = [folder / name for name in CHECKPOINTS if (folder / name).is_file()]
    found = named or sorted(path for path in folder.iterdir() if path.suffix in _WEIGHT_SUFFIXES)
    if not found or (len(found) > 1 and not named):
        raise DownloadFailed(f"the folder {folder} has {len(found)} files of weights; give the one file as 'localpath'")
    return found[0]


def _checked_auth(location: Mapping[str, Any], auth: ModelAuth | None) -> ModelAuth | None:
    """The credentials, where they are for the kind of place that the files lie in."""
    if auth is None or auth.kind in location:
        return auth
    kind = next(key for key in location if key != AUTH_REQUIRED)
    raise DownloadFailed(f"modelAuth has credentials for {auth.kind}, but the files lie at a place of kind {kind}")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
