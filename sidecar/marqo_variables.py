"""The environment variables of Marqo 1.x that set a setting here, so that its deployments start as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

MARQO_PREFIX = "MARQO_"


@dataclass(frozen=True)
class Alias:
    """What a variable stands for: the setting, and how its text becomes that setting's value.

    `read` raises ValueError, with what the text must be.
    """

    setting: str
    read: Callable[[str], Any] = str


@dataclass(frozen=True)
class GivenVariable:
    """A variable that is set and has an equivalent: its name, the setting, and the value for it."""

    name: str
    setting: str
    value: Any


def _read_models(text: str) -> list[Any]:
    try:
        return TypeAdapter(list[Any]).validate_json(text)
    except ValueError as error:
        raise ValueError('must be a JSON list of models, as ["a", {"model": "b", "model_properties": {}}]') from error


ALIASES: Mapping[str, Alias] = {
    "MARQO_MAX_DOC_BYTES": Alias("max_document_bytes"),
    "MARQO_MAX_RETRIEVABLE_DOCS": Alias("max_retrievable_documents"),
    "MARQO_MAX_ADD_DOCS_COUNT": Alias("max_add_documents"),
    "MARQO_MAX_DELETE_DOCS_COUNT": Alias("max_delete_documents"),
    "MARQO_MAX_SEARCHABLE_TENSOR_ATTRIBUTES": Alias("max_searchable_tensor_attributes"),
    "MARQO_MAX_INDEX_FIELDS": Alias("max_index_fields"),
    "MARQO_MAX_NUMBER_OF_REPLICAS": Alias("max_replicas"),
    "MARQO_EF_CONSTRUCTION_MAX_VALUE": Alias("max_ef_construction"),
    "MARQO_MODELS_TO_PRELOAD": Alias("preload_models", _read_models),
    "MARQO_MAX_CPU_MODEL_MEMORY": Alias("model_memory"),
    "MARQO_MAX_CUDA_MODEL_MEMORY": Alias("cuda_model_memory"),
    "MARQO_LOG_LEVEL": Alias("log_level", str.lower),
}
"""Every variable with an equivalent."""

_RETRIES = "writes that the cluster refuses are repeated for SIDECAR_OPENSEARCH_RETRY_DEADLINE seconds"
_CONCURRENCY = "SIDECAR_THREADS bounds the requests served at once, SIDECAR_EMBEDDING_QUEUE the texts that wait"
_FOLDERS = "models lie under SIDECAR_HOME"

WITHOUT_EQUIVALENT: Mapping[str, str] = {
    "MARQO_MAX_VECTORISE_BATCH_SIZE": "batches are made by the length of their texts",
    "MARQO_ENABLE_THROTTLING": _CONCURRENCY,
    "MARQO_MAX_CONCURRENT_INDEX": _CONCURRENCY,
    "MARQO_MAX_CONCURRENT_SEARCH": _CONCURRENCY,
    "MARQO_THREAD_EXPIRY_TIME": "no request holds a slot that could lapse",
    "MARQO_MAX_BACKEND_SEARCH_RETRY_ATTEMPTS": _RETRIES,
    "MARQO_MAX_BACKEND_SEARCH_RETRY_BACKOFF": _RETRIES,
    "MARQO_MAX_BACKEND_ADD_DOCS_RETRY_ATTEMPTS": _RETRIES,
    "MARQO_MAX_BACKEND_ADD_DOCS_RETRY_BACKOFF": _RETRIES,
    "MARQO_BEST_AVAILABLE_DEVICE": "SIDECAR_DEVICE chooses the device",
    "MARQO_ROOT_PATH": _FOLDERS,
    "MARQO_CLOUD_URL": "it is the Python client's own",
}
"""Variables that are known and do nothing here, and what does their work."""


def given_variables(variables: Mapping[str, str]) -> list[GivenVariable]:
    """The variables that set a setting, in the order of `ALIASES`; an empty one counts as not given.

    Raises: ValueError, which names the variable.
    """
    given = []
    for name, alias in ALIASES.items():
        text = variables.get(name, "").strip()
        if not text:
            continue
        try:
            given.append(GivenVariable(name, alias.setting, alias.read(text)))
        except ValueError as error:
            raise ValueError(f"{name}: {error} (given: {text!r})") from error
    return given


def remarks(variables: Mapping[str, str]) -> list[str]:
    """A sentence for each given variable of the prefix that sets nothing, and why, sorted by name."""
    told = []
    for name in sorted(variables):
        if name in WITHOUT_EQUIVALENT and variables[name].strip():
            told.append(f"{name} has no effect: {WITHOUT_EQUIVALENT[name]}.")
        elif name.startswith(MARQO_PREFIX) and name not in ALIASES and name not in WITHOUT_EQUIVALENT:
            told.append(f"{name} has no effect: it is not known.")
    return told
