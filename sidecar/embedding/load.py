"""Loads a model: finds the loader of its kind, which finds or converts its weights and checks its dimensions."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from sidecar.embedding.conversion import ConversionCache
from sidecar.embedding.kinds import LOADERS, plugins
from sidecar.embedding.loader import Loader
from sidecar.embedding.model_spec import ModelSpec
from sidecar.errors import InvalidArgument, ModelLoadError

Backend = Literal["auto", "torch", "onnx"]


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What loaders work with besides the model's description."""

    conversions: ConversionCache
    backend: Backend


LoadModel = Callable[[ModelSpec, LoadContext], Loader]
"""Loads one model. Raises: ModelLoadError and its like; a plug-in's other errors become one."""


class ModelLoading:
    """Turns a `ModelSpec` into a loaded model. Loaders are imported when the first model needs them."""

    def __init__(self, conversions: ConversionCache, backend: Backend) -> None:
        self._context = LoadContext(conversions, backend)

    def load(self, spec: ModelSpec) -> Loader:
        """Load the model; takes seconds, and minutes where weights are downloaded or converted.

        Raises: ModelLoadError; nothing is kept of a failed try, so that the next one starts anew.
        InvalidArgument when the model has other dimensions than the index was told.
        """
        if spec.loader in LOADERS:
            module, function = LOADERS[spec.loader].split(":")
            return cast(LoadModel, getattr(importlib.import_module(module), function))(spec, self._context)
        return self._load_plugin(spec)

    def _load_plugin(self, spec: ModelSpec) -> Loader:
        point = plugins()[spec.loader]
        try:
            loader = cast(LoadModel, point.load())(spec, self._context)
        except Exception as error:
            raise ModelLoadError(
                f"model {spec.name!r} can't be loaded by the plug-in {point.value!r}: {type(error).__name__}: {error}"
            ) from error
        check_dimensions(spec, loader.dimensions)
        return loader


def check_dimensions(spec: ModelSpec, dimensions: int) -> None:
    """Raises: InvalidArgument, with the right number, where the model gives vectors of other ``dimensions``."""
    # The test models are the first dimensions of a real one.
    if dimensions != spec.dimensions and not (spec.loader == "test" and dimensions > spec.dimensions):
        raise InvalidArgument(
            f"model {spec.name!r} gives vectors of {dimensions} dimensions; the index was created with "
            f"'dimensions' {spec.dimensions}. Create the index again with {dimensions}"
        )
