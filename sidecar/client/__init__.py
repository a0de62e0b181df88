"""A typed client of the ``/indexes`` API, for what the older client library has not.

    from sidecar.client import Search, SidecarClient

    with SidecarClient("http://localhost:8882") as client:
        for hit in client.index("help-desk").search(Search("how do I leave", search_method="HYBRID")):
            print(hit.id, hit.score)

`AsyncSidecarClient` is the same for asyncio. Needs httpx, and pandas where tables are read or made; nothing else of the
sidecar is imported.
"""

try:
    import httpx  # noqa: F401 - what the modules below can't do without
except ImportError as error:
    raise ImportError("sidecar.client needs httpx: pip install 'vector-sidecar[client]'") from error

from sidecar.client.async_client import AsyncIndex, AsyncSidecarClient
from sidecar.client.errors import (
    ApiError,
    InvalidRequest,
    NoAnswer,
    NotFound,
    SidecarClientError,
    StreamBroken,
    TooManyRequests,
    Unauthorized,
)
from sidecar.client.exchange import Retries
from sidecar.client.frames import to_dataframe
from sidecar.client.hits import Hit, Hits
from sidecar.client.images import image_text
from sidecar.client.outcomes import AliasMove, Deletion, Item, Progress, Updated
from sidecar.client.questions import HybridParameters, Recommend, Search
from sidecar.client.sync_client import Index, SidecarClient
from sidecar.client.writes import AddOptions, UpdateOptions

__all__ = [
    "AddOptions",
    "AliasMove",
    "ApiError",
    "AsyncIndex",
    "AsyncSidecarClient",
    "Deletion",
    "Hit",
    "Hits",
    "HybridParameters",
    "Index",
    "InvalidRequest",
    "Item",
    "NoAnswer",
    "NotFound",
    "Progress",
    "Recommend",
    "Retries",
    "Search",
    "SidecarClient",
    "SidecarClientError",
    "StreamBroken",
    "TooManyRequests",
    "Unauthorized",
    "UpdateOptions",
    "Updated",
    "image_text",
    "to_dataframe",
]
