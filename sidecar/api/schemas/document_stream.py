"""The parameters of a streamed add request, which has no body to say them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sidecar.api.schemas.documents import object_parameter
from sidecar.api.schemas.mappings import parse_mappings
from sidecar.errors import BadRequest
from sidecar.indexing.requests import AddDocuments


@dataclass(frozen=True, slots=True)
class StreamParameters:
    """What the query of a streamed add request says; `texts` has those parameters that are no flags, unparsed."""

    texts: Mapping[str, list[str]]
    device: str
    use_existing_tensors: bool
    routing: str | None


def parse_stream(parameters: StreamParameters) -> AddDocuments:
    """The request without its documents.

    Raises: BadRequest where not exactly one of the two field lists is given; InvalidArgument and InvalidFieldName for
    mappings that break a rule.
    """
    texts = parameters.texts
    if ("tensorFields" in texts) == ("nonTensorFields" in texts):
        raise BadRequest(
            "Exactly one of the parameters tensorFields and nonTensorFields must be given, as in "
            "?tensorFields=title,text: the fields to embed, or those not to. An empty tensorFields embeds none."
        )
    return AddDocuments(
        documents=(),
        tensor_fields=_names("tensorFields", texts),
        non_tensor_fields=_names("nonTensorFields", texts),
        text_chunk_prefix=texts["textChunkPrefix"][-1] if "textChunkPrefix" in texts else None,
        use_existing_tensors=parameters.use_existing_tensors,
        mappings=parse_mappings(object_parameter("mappings", texts)),
        device=parameters.device,
        routing=parameters.routing,
        is_patient=True,
    )


def _names(parameter: str, texts: Mapping[str, list[str]]) -> tuple[str, ...] | None:
    """One text has the names with commas between them; several have one name each, which so may have commas."""
    given = texts.get(parameter)
    if given is None:
        return None
    names = given if len(given) > 1 else given[0].split(",")
    return tuple(name for name in names if name)
