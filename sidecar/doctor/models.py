"""Whether the models that are loaded at start are there, and the cache of models is sound."""

from __future__ import annotations

from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import orjson

from sidecar.config import PreloadedModel, Settings
from sidecar.doctor.finding import Finding, error, ok, warning
from sidecar.doctor.sizes import told_bytes
from sidecar.doctor.surroundings import Surroundings
from sidecar.embedding.cache_survey import folder_bytes, survey
from sidecar.embedding.inventory import files_on_disk, hub_is_offline
from sidecar.embedding.kinds import runs_here
from sidecar.embedding.model_options import CLIP_KINDS, TEXT_KINDS
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import ModelTable
from sidecar.embedding.weights import find_local_weights, hub_cache_folder, is_path
from sidecar.errors import InvalidArgument, UnknownModel
from sidecar.opensearch.address import Endpoint

_PATIENCE_SECONDS = 5.0


def check(about: Surroundings) -> Iterator[Finding]:
    """Each model to preload, another sidecar that runs models in this one's place, and the folders of models."""
    settings = about.settings
    if settings.embedding_url is not None:
        yield _other_sidecar(settings.embedding_url)
    for model in settings.preload_models:
        yield _preloaded(PreloadedModel(model=model) if isinstance(model, str) else model, settings)
    if not settings.preload_models:
        yield ok("no models are preloaded (SIDECAR_PRELOAD_MODELS): each is loaded when it is first used")
    yield from _cache(settings)


def _preloaded(model: PreloadedModel, settings: Settings) -> Finding:
    try:
        spec = ModelTable().resolve(model.model, model.model_properties)
    except (UnknownModel, InvalidArgument) as failed:
        return error(f"SIDECAR_PRELOAD_MODELS: {failed.message}.", "Correct the name; `sidecar models list` has all.")
    if spec.loader not in (*TEXT_KINDS, *CLIP_KINDS):
        return ok(f"model {spec.name}: of kind {spec.loader}, needs no files")
    if settings.embedding_url is not None and not runs_here(spec.loader):
        return ok(f"model {spec.name}: run by the sidecar of SIDECAR_EMBEDDING_URL")
    return _located(spec, settings) if spec.location else _of_table(spec, settings)


def _located(spec: ModelSpec, settings: Settings) -> Finding:
    """A model whose files lie at a place of their own."""
    location = orjson.loads(spec.location)
    if "path" not in location:
        return ok(
            f"model {spec.name}: fetched from its location at first use, and kept in {settings.home / 'downloads'}"
        )
    path = Path(location["path"]).expanduser()
    if path.exists():
        return ok(f"model {spec.name}: its files are {path}")
    return error(f"model {spec.name}: there is no {path}.", "Put its files there, or correct localpath.")


def _of_table(spec: ModelSpec, settings: Settings) -> Finding:
    files = files_on_disk(spec, settings.models_folder)
    if files.converted:
        return ok(f"model {spec.name}: converted, in {files.converted[0].parent} ({told_bytes(files.converted_bytes)})")
    if files.weights is not None:
        return ok(
            f"model {spec.name}: weights in {files.weights}; converted at first use, which takes seconds to minutes"
        )
    looked: list[str] = []
    if spec.loader in TEXT_KINDS:
        find_local_weights(spec.repository, looked)
    else:
        looked.append(f"not in the Hugging Face cache {hub_cache_folder()}")
    if is_path(spec.repository):
        return error(f"model {spec.name}: {'; '.join(looked)}.", "Put its files there, or correct localpath.")
    told = f"model {spec.name}: no weights on this machine ({'; '.join(looked)}), and no converted form in "
    told += str(settings.models_folder)
    if hub_is_offline():
        return error(f"{told}; HF_HUB_OFFLINE forbids to fetch them.", "Fetch them where there is a network, and copy.")
    return warning(f"{told}; they are fetched at start.", f"Fetch them now: sidecar models pull {spec.name}")


def _cache(settings: Settings) -> Iterator[Finding]:
    found = survey(settings.models_folder, settings.home / "downloads")
    for folder in found.broken:
        yield warning(
            f"the converted model {folder} is not whole.",
            "It is converted anew when it is next used; delete the folder where its weights are not here any more.",
        )
    if found.left_over:
        size = sum(map(folder_bytes, found.left_over))
        yield warning(
            f"{len(found.left_over)} conversions or downloads were broken off and left {told_bytes(size)}: "
            f"{', '.join(map(str, found.left_over))}.",
            "Delete the folders; the next conversion or download of the same model does so itself.",
        )
    if not found.broken and not found.left_over:
        size = sum(map(folder_bytes, found.whole))
        yield ok(f"{len(found.whole)} converted models in {settings.models_folder}, {told_bytes(size)}, all whole")


def _other_sidecar(url: str) -> Finding:
    """Whether another sidecar answers. A user and password in the URL are not told."""
    place = Endpoint.parse(url)
    try:
        # Past the environment's proxies, as the sidecar itself asks it.
        with build_opener(ProxyHandler({})).open(f"{place}/", timeout=_PATIENCE_SECONDS) as answer:
            is_sidecar = b"version" in answer.read(1000)
    except (URLError, HTTPException, OSError, ValueError) as failed:
        reason = getattr(failed, "reason", None) or failed
        return error(
            f"SIDECAR_EMBEDDING_URL: {place} does not answer ({reason}).",
            "Start the sidecar there, or correct the URL.",
        )
    if not is_sidecar:
        return error(f"SIDECAR_EMBEDDING_URL: what answers at {place} is no sidecar.", "Correct the URL.")
    return ok(f"the sidecar at {place} answers; it runs the models")
