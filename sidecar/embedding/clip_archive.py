"""Reads the weights of a TorchScript archive, as OpenAI's CLIP files are, without running the code that it holds."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

_DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}


def is_archive(path: Path) -> bool:
    """True for a TorchScript archive: it has code beside its weights, which other checkpoints have not."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def read_archive(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of the archived module by their names, as its ``state_dict`` has them.

    Raises: ValueError, pickle.UnpicklingError and what zipfile raises, for an archive that is spoilt or has other than
    modules and tensors in it.
    """
    with zipfile.ZipFile(path) as archive:
        root = next((name for name in archive.namelist() if name.endswith("/data.pkl")), None)
        if root is None:
            raise ValueError("the archive has no data.pkl")
        module = _Reader(archive, root.removesuffix("data.pkl")).load()
        tensors: dict[str, torch.Tensor] = {}
        _collect(module, "", tensors)
    return tensors


class _Module:
    """Stands for any class of the archive: it keeps attributes, and does nothing."""

    def __setstate__(self, state: Any) -> None:
        self.attributes: dict[str, Any] = state if isinstance(state, dict) else {}


class _Reader(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(_stored(archive, f"{root}data.pkl")))
        self._archive = archive
        self._root = root
        self._storages: dict[str, torch.Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__"):
            return _Module
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch.jit._pickle":
            # Lists of numbers and the like, and tensors' restoring of a kind; none of them is a weight.
            return _kept
        raise pickle.UnpicklingError(f"the archive has a {module}.{name} in it, which is no part of a model")

    def persistent_load(self, pid: Any) -> torch.Tensor:
        _, dtype, key, *_ = pid
        if key not in self._storages:
            content = bytearray(_stored(self._archive, f"{self._root}data/{key}"))
            self._storages[key] = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
        return self._storages[key]


def _stored(archive: zipfile.ZipFile, name: str) -> bytes:
    # torch packs nothing. What is packed may be a thousand times larger than its archive, and is read into memory.
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"the archive has a packed file, {name!r}, which no archive of torch's has")
    return archive.read(name)


def _rebuild_tensor(storage: torch.Tensor, offset: int, size: Any, stride: Any, *_: Any) -> torch.Tensor:
    return storage.as_strided(tuple(size), tuple(stride), offset)


def _kept(*values: Any) -> Any:
    return values[0] if len(values) == 1 else values


def _collect(module: Any, prefix: str, tensors: dict[str, torch.Tensor]) -> None:
    for name, value in getattr(module, "attributes", {}).items():
        if isinstance(value, torch.Tensor):
            tensors[prefix + name] = value
        elif isinstance(value, _Module):
            _collect(value, f"{prefix}{name}.", tensors)
