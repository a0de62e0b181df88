"""What several operations share: parameters, shapes, and errors."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

from sidecar.api.openapi.operation import Parameter
from sidecar.api.schemas.embedding_map import MAX_POINTS, MAX_SEED, POINTS
from sidecar.errors import (
    BadRequest,
    EndpointError,
    HardwareUnavailable,
    IndexNotFound,
    InvalidArgument,
    MediaError,
    ModelCacheManagementError,
    ModelLoadError,
    NotASidecarIndex,
    OpenSearchError,
    OpenSearchRejected,
    OpenSearchTimeout,
    OpenSearchUnreachable,
    TooManyRequests,
    UnknownModel,
)

CLUSTER = (OpenSearchError, OpenSearchUnreachable, OpenSearchTimeout, OpenSearchRejected)
"""What whoever asks the cluster may meet."""
INDEX = (*CLUSTER, IndexNotFound, NotASidecarIndex)
"""What whoever uses an index may meet."""
MODEL = (
    *(HardwareUnavailable, InvalidArgument, BadRequest, UnknownModel, MediaError),
    *(ModelLoadError, EndpointError, ModelCacheManagementError, TooManyRequests),
)
"""What whoever lets a model run may meet."""

_Device = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^(cpu|cuda[0-9]*)$"})]
DEVICE = Parameter("device", "Where models run: `cpu`, `cuda`, `cuda1`; else the operator's choice.", _Device)
REFRESH = Parameter("refresh", "Let searches see the change when the answer comes.", bool)
ROUTING = Parameter(
    "routing", "What decides on the shard of documents in place of their ids.", Annotated[str, Field(min_length=1)]
)
FACETS = Parameter("expose_facets", "Whether each document comes with its chunks and their embeddings.", bool)
LEGACY = (
    Parameter("non_tensor_fields", "Of an array body: the fields that are not embedded.", list[str]),
    Parameter("use_existing_tensors", "Of an array body: images that have not changed keep their embeddings.", bool),
    Parameter("image_download_headers", "Of an array body: JSON, as the key `imageDownloadHeaders`."),
    Parameter("model_auth", "Of an array body: JSON, as the key `modelAuth`."),
    Parameter("mappings", "Of a body of lines or an array: JSON, as the key `mappings`."),
)
OF_LINES = (
    Parameter("tensorFields", "Of a body of lines: the fields that are embedded, with commas between.", list[str]),
    Parameter("nonTensorFields", "Of a body of lines: the fields that are not embedded.", list[str]),
    Parameter("useExistingTensors", "Of a body of lines: images that have not changed keep their embeddings.", bool),
    Parameter("textChunkPrefix", "Of a body of lines: what is put before each text."),
)
OF_MAP = (
    Parameter("field", "The embedded field that is shown; may be left out where the index has but one."),
    Parameter("size", f"How many chunks at most; else {POINTS}.", Annotated[int, Field(ge=1, le=MAX_POINTS)]),
    Parameter("seed", "Another number gives another sample; else 0.", Annotated[int, Field(ge=0, le=MAX_SEED)]),
    Parameter("attribute", "A field of the documents, whose value comes with each point."),
)
OF_VALUES = (
    Parameter("size", "How many values at most, up to 1000; else 10.", Annotated[int, Field(ge=1, le=1000)]),
    Parameter("contains", "Only values that contain this, in any case.", Annotated[str, Field(max_length=100)]),
)
OF_PICTURE = (
    Parameter("document", "The id of the document.", is_required=True),
    Parameter("field", "The field that has the picture's path; `field.part` of an object.", is_required=True),
)
KEEP_ALIVE = Parameter("keepAlive", "How long it is kept after each use, as `30s` or `5m`; else `1m`.")

PATH_PARAMETERS = {
    "index": "The name of an index, or an alias of it.",
    "alias": "Another name for the index.",
    "document_id": "The id of a document.",
    "field": "The name of a field.",
    "name": "The name of a model.",
    "file": "The name of a file.",
}
"""What stands in paths, whatever the route."""
