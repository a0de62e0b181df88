"""How documents are to be added and changed, in the words of the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sidecar.client.questions import wire_name

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AddOptions:
    """How documents are added; exactly one of the two lists of fields is given.

    With ``refresh`` searches see the documents when the last is acknowledged. ``batch_documents`` are sent in one
    request, and acknowledged together; fewer where they are large, or come slowly.
    """

    tensor_fields: Sequence[str] | None = None
    non_tensor_fields: Sequence[str] | None = None
    mappings: Mapping[str, Any] | None = None
    text_chunk_prefix: str | None = None
    use_existing_tensors: bool = False
    routing: str | None = None
    device: str | None = None
    refresh: bool = False
    batch_documents: int = 1000


@dataclass(frozen=True, slots=True)
class UpdateOptions:
    """How documents are changed; without a list of fields those are embedded that the index embeds already."""

    tensor_fields: Sequence[str] | None = None
    non_tensor_fields: Sequence[str] | None = None
    mappings: Mapping[str, Any] | None = None
    text_chunk_prefix: str | None = None
    use_existing_tensors: bool | None = None
    image_download_headers: Mapping[str, str] | None = None
    model_auth: Mapping[str, Any] | None = None
    routing: str | None = None
    device: str | None = None
    refresh: bool = False


AS_BEFORE = UpdateOptions()
_IN_QUERY = ("refresh", "routing", "device")


def add_options(given: AddOptions | Sequence[str]) -> AddOptions:
    """The options, of which a list of names stands for the fields to embed. Raises: TypeError for one text."""
    if isinstance(given, str):
        raise TypeError(f"give the fields to embed as a list: [{given!r}]")
    return given if isinstance(given, AddOptions) else AddOptions(tensor_fields=given)


def stream_parameters(options: AddOptions) -> list[tuple[str, str]]:
    """The query of a streamed add request."""
    parameters = [
        *_names("tensorFields", options.tensor_fields),
        *_names("nonTensorFields", options.non_tensor_fields),
    ]
    if options.mappings is not None:
        parameters.append(("mappings", json.dumps(options.mappings)))
    for name in ("text_chunk_prefix", "routing", "device"):
        if (value := getattr(options, name)) is not None:
            parameters.append((wire_name(name), value))
    if options.use_existing_tensors:
        parameters.append(("useExistingTensors", "true"))
    return parameters


def update_body(documents: Sequence[Document], options: UpdateOptions) -> dict[str, Any]:
    """The body of an update."""
    given = {field.name: getattr(options, field.name) for field in fields(options) if field.name not in _IN_QUERY}
    told = {wire_name(name): value for name, value in given.items() if value is not None}
    return {"documents": documents, **told}


def update_parameters(options: UpdateOptions) -> list[tuple[str, str]]:
    """The query of an update."""
    given = {name: getattr(options, name) for name in _IN_QUERY}
    told = given | {"refresh": "true" if options.refresh else None}
    return [(name, value) for name, value in told.items() if value is not None]


def _names(parameter: str, names: Sequence[str] | None) -> list[tuple[str, str]]:
    """The parameter once for each name, which so may have commas; one name alone is ended by one."""
    if names is None:
        return []
    if len(names) == 1:
        return [(parameter, names[0]), (parameter, "")]
    return [(parameter, name) for name in names] or [(parameter, "")]
