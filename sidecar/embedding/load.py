"""Loads a model: finds the loader of its kind, which finds or converts its weights and checks its dimensions."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.kinds import LOADERS, RERANKERS, plugins, runs_here
from sidecar.embedding.loader import Loader
from sidecar.embedding.model_files import with_local_files
from sidecar.embedding.model_options import CLIP_KINDS, TEXT_KINDS
from sidecar.embedding.model_spec import ModelSpec
from sidecar.errors import InvalidArgument, ModelLoadError, SidecarError

Backend = Literal["auto", "torch", "onnx", "openvino"]

REMOTE = "sidecar.embedding.loaders.remote:load"


@dataclass(frozen=True, slots=True)
class Access:
    """What the operator lets models be had from.

    ``downloads`` is the folder that keeps files of URLs and buckets. ``endpoints`` are the trusted starts of URLs of
    inference endpoints, each with its token, empty for none. ``sidecar_url`` is another sidecar, which runs the models
    in this one's place.
    """

    downloads: Path = Path("downloads")
    allow_private: bool = False
    endpoints: Mapping[str, str] = field(default_factory=dict)
    sidecar_url: str | None = None


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What loaders work with besides the model's description."""

    conversions: ConversionCache
    backend: Backend
    access: Access = field(default_factory=Access)


LoadModel = Callable[[ModelSpec, LoadContext], Loader]
"""Loads one model. Raises: ModelLoadError and its like; a plug-in's other errors become one."""


class ModelLoading:
    """Turns a `ModelSpec` into a loaded model. Loaders are imported when the first model needs them."""

    def __init__(self, conversions: ConversionCache, backend: Backend, access: Access | None = None) -> None:
        self._context = LoadContext(conversions, backend, access or Access())

    def load(self, spec: ModelSpec) -> Loader:
        """Load the model; takes seconds, and minutes where weights are downloaded or converted.

        Raises: ModelLoadError; nothing is kept of a failed try, so that the next one starts anew.
        InvalidArgument when the model has other dimensions than the index was told.
        """
        if self._context.access.sidecar_url is not None and not runs_here(spec.loader):
            return _load_function(REMOTE)(spec, self._context)
        if spec.loader in (*TEXT_KINDS, *CLIP_KINDS):
            spec = with_local_files(spec, self._context)
        place = LOADERS.get(spec.loader) or RERANKERS.get(spec.loader)
        if place is not None:
            return _load_function(place)(spec, self._context)
        return self._load_plugin(spec)

    def _load_plugin(self, spec: ModelSpec) -> Loader:
        point = plugins()[spec.loader]
        try:
            loader = cast(LoadModel, point.load())(spec, self._context)
        except SidecarError:
            raise
        except Exception as error:
            raise ModelLoadError(
                f"model {spec.name!r} can't be loaded by the plug-in {point.value!r}: {type(error).__name__}: {error}"
            ) from error
        check_dimensions(spec, loader.dimensions)
        return loader


def _load_function(place: str) -> LoadModel:
    module, function = place.split(":")
    return cast(LoadModel, getattr(importlib.import_module(module), function))


def check_dimensions(spec: ModelSpec, dimensions: int) -> None:
    """Raises: InvalidArgument, with the right number, where the model gives vectors of other ``dimensions``."""
    # The test models are the first dimensions of a real one.
    may_be_shorter = spec.loader == "test" or spec.option("matryoshka", False)
    if dimensions != spec.dimensions and not (may_be_shorter and dimensions > spec.dimensions):
        raise InvalidArgument(
            f"model {spec.name!r} gives vectors of {dimensions} dimensions; its properties say "
            f"'dimensions' {spec.dimensions}. Create the index with {dimensions}"
        )
