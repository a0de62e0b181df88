"""Every setting of the sidecar, declared once: name, type, default, unit and meaning."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_origin

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from sidecar.errors import ConfigurationError

PREFIX = "SIDECAR_"
_JSON_FORMS: Mapping[Any, str] = {tuple: 'a JSON list, as ["a", "b"]', dict: 'a JSON object, as {"a": "b"}'}


def default_home() -> Path:
    """``$XDG_CACHE_HOME/vector-sidecar``, else ``~/.cache/vector-sidecar``."""
    base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base) / "vector-sidecar"
    try:
        return Path.home() / ".cache" / "vector-sidecar"
    except RuntimeError as error:
        # The number of a user that the machine does not know, as containers may run under.
        raise ConfigurationError(
            "SIDECAR_HOME: your user has no home folder, and HOME is not set. Name a folder that you may write to."
        ) from error


class PreloadedModel(BaseModel):
    """A model to load at start that may not be in the table; `model_properties` describe it."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    model_properties: dict[str, Any] | None = None


class Settings(BaseSettings):
    """The sidecar's configuration, read once at start and handed to whatever needs a value."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_prefix=PREFIX,
        env_ignore_empty=True,
        populate_by_name=True,
        allow_inf_nan=False,
    )

    # The cluster
    opensearch_url: str | None = Field(
        default=None,
        validation_alias="OPENSEARCH_URL",
        repr=False,
        description="The cluster, with user and password if it wants them. Unset: the embedded node.",
    )
    opensearch_ca_file: Path | None = Field(
        default=None, description="PEM file of the authorities that sign the cluster's certificate."
    )
    opensearch_verify_tls: bool = Field(default=True, description="Verify the cluster's TLS certificate.")
    opensearch_timeout: float = Field(default=60.0, gt=0, description="Seconds to wait for one answer of the cluster.")
    opensearch_retry_deadline: float = Field(
        default=30.0,
        ge=0,
        description="Seconds for which a write that the cluster refuses for now (429, 503, no connection, an index "
        "that is being migrated) is repeated.",
    )
    opensearch_connections: int = Field(
        default=32, ge=1, description="Connections to the cluster that are kept open for reuse."
    )

    # The embedded node
    node_version: str = Field(default="3.5.0", description="OpenSearch version of the embedded node.")
    node_port: int = Field(default=9200, ge=0, le=65535, description="HTTP port of the embedded node; 0: any free one.")
    node_heap: str = Field(
        default="1g",
        pattern=r"^[1-9]\d*[mg]$",
        examples=["512m", "2g"],
        description="Java heap of the embedded node, as 512m or 2g.",
    )
    node_data: Path | None = Field(
        default=None, description="Data folder of the embedded node. Unset: `node/data` under the home folder."
    )
    node_java_options: str = Field(
        default="",
        validation_alias="OPENSEARCH_JAVA_OPTS",
        description="Further options of the embedded node's Java; may override the heap.",
    )
    java_home: Path | None = Field(
        default=None,
        validation_alias="OPENSEARCH_JAVA_HOME",
        description="JDK (21 or later) of the embedded node. Unset: `JAVA_HOME`, `PATH`, `/usr/lib/jvm`, a download.",
    )
    machine_java_home: Path | None = Field(
        default=None,
        validation_alias="JAVA_HOME",
        description="The machine's own Java; taken for the embedded node where it is a full JDK, 21 or later.",
    )

    # The server
    host: str = Field(default="127.0.0.1", description="Address the server listens on.")
    port: int = Field(default=8882, ge=0, le=65535, description="Port of the `/indexes` API.")
    native_port: int | None = Field(
        default=9201,
        ge=0,
        le=65535,
        description="The OpenSearch port; 0: any free one; given as empty text, there is none.",
    )
    native_timeout: float = Field(
        default=3600.0,
        gt=0,
        description="Seconds for which the OpenSearch port waits for the cluster to go on with an answer; its clients "
        "have limits of their own.",
    )
    native_client_timeout: float = Field(
        default=300.0,
        gt=0,
        description="Seconds for which a client of the OpenSearch port may stand still in the middle of a request or "
        "an answer before its connection is closed.",
    )
    native_max_body_bytes: int = Field(
        default=100 * 1024 * 1024,
        ge=1024,
        description="Largest body, decoded, that the OpenSearch port looks into; it should be the cluster's "
        "`http.max_content_length`. Bodies that pass as they are have no limit but that.",
    )
    native_models: dict[str, str] = Field(
        default_factory=dict,
        description="JSON object of further names for models on the OpenSearch port: an ML node's model id -> model.",
    )
    native_account: str | None = Field(
        default=None,
        pattern="^[^:]+:",
        examples=["user:password"],
        repr=False,
        description="`user:password` by which the OpenSearch port learns what indexes and pipelines are. Unset: each "
        "caller's own credentials; then documents of callers who may not know that pass without vectors.",
    )
    tls_certificate: Path | None = Field(
        default=None,
        description="PEM file of the server's certificate and of those that lead to its authority; both ports then "
        "speak https. SIGHUP reads it anew.",
    )
    tls_key: Path | None = Field(
        default=None, description="PEM file of the certificate's private key. Unset: it stands in the same file."
    )
    home: Path = Field(
        default_factory=default_home,
        description="Folder for caches, converted models, the embedded node and its data.",
    )
    threads: int = Field(default=16, ge=1, le=1024, description="Requests served at the same time.")
    grace: float = Field(default=30.0, ge=0, description="Seconds that accepted requests have to finish after SIGTERM.")
    api_keys: tuple[str, ...] = Field(
        default=(),
        repr=False,
        description="JSON list of keys; when given, every request must carry one as `x-api-key`, but for health checks "
        "and the API's own description.",
    )
    max_body_bytes: int = Field(default=100 * 1024 * 1024, ge=1024, description="Largest request body, in bytes.")

    # Limits of the API
    max_add_documents: int = Field(default=10_000, ge=1, description="Documents in one add request.")
    max_delete_documents: int = Field(default=10_000, ge=1, description="Ids in one delete request.")
    max_retrievable_documents: int = Field(
        default=10_000, ge=1, le=10_000, description="Largest `limit` + `offset` of a search, and ids in one get."
    )
    max_searchable_tensor_attributes: int | None = Field(
        default=None,
        ge=1,
        description="Fields that one tensor search may name; when given, it must name them. Unset: any number.",
    )
    max_document_bytes: int = Field(
        default=100_000, ge=1, description="Largest document, as bytes of ASCII-escaped JSON text."
    )
    max_index_fields: int | None = Field(
        default=None,
        ge=1,
        description="Fields that a new index has room for, all of them embedded; without embeddings more fit. Unset: "
        "200 that are embedded beside 1,000 others.",
    )
    max_replicas: int = Field(default=1, ge=0, description="Largest `number_of_replicas` of a new index.")
    max_ef_construction: int = Field(default=4096, ge=1, description="Largest `ef_construction` of a new index.")

    # Models
    preload_models: tuple[str | PreloadedModel, ...] = Field(
        default=(),
        examples=[
            '["hf/e5-base-v2"]',
            '[{"model": "mine", "model_properties": {"name": "my/model", "dimensions": 384}}]',
        ],
        description="JSON list of models to load at start, before `/ready` says yes: names, or objects of `model` and "
        "`model_properties`.",
    )
    model_memory: float = Field(
        default=4.0,
        gt=0,
        description="Gigabytes of models that may be loaded at once, on each device; the least used goes.",
    )
    cuda_model_memory: float | None = Field(
        default=None, gt=0, description="The same for each CUDA device. Unset: as SIDECAR_MODEL_MEMORY."
    )
    embedding_threads: int | None = Field(
        default=None, ge=1, description="Threads that run models. Unset: the processors this process may use."
    )
    embedding_timeout: float = Field(
        default=600.0,
        gt=0,
        description="Seconds that a model may take for one batch. Whoever waits for it then gets 503, as does all that "
        "asks for the model until it is back; other models go on.",
    )
    embedding_queue: int = Field(
        default=16_384, ge=1, description="Texts that may wait to be embedded before new documents get 429."
    )
    query_cache: int = Field(default=2048, ge=0, description="Query vectors kept in memory; 0 switches the cache off.")
    backend: Literal["auto", "torch", "onnx", "openvino"] = Field(
        default="auto",
        description="What runs plain model names: auto is ONNX Runtime, or OpenVINO where it is installed and clearly "
        "faster here, as long as they give torch's vectors; else always the one named.",
    )

    device: str = Field(
        default="", description="Where models run: cpu, cuda, cuda:1. Unset: the first CUDA device, else cpu."
    )
    endpoints: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description="JSON object of inference endpoints that models of type `endpoint` may use though their address is "
        "private, or that want a token: start of the URL -> token, empty for none.",
    )
    embedding_url: str | None = Field(
        default=None,
        pattern="^https?://.",
        examples=["http://host:8882"],
        repr=False,
        description="Another sidecar that runs all models in this one's place: its URL, as http://host:8882.",
    )

    # Images and other files
    media_roots: tuple[Path, ...] = Field(
        default=(), description="JSON list of folders whose files documents and queries may name by path."
    )
    media_allow_private: bool = Field(
        default=False, description="Fetch images and model files from private addresses too: this machine, its network."
    )
    media_max_bytes: int = Field(default=20 * 1024 * 1024, ge=1024, description="Largest image file, in bytes.")
    media_max_pixels: int = Field(default=100_000_000, ge=1, description="Largest image, in pixels.")
    media_timeout: float = Field(default=3.0, gt=0, description="Seconds in which an image must have been fetched.")
    media_threads: int = Field(default=20, ge=1, description="Images that are fetched at the same time.")
    media_exact: bool = Field(
        default=False,
        description="Decode JPEG images at full size always. Otherwise at no less than twice the size the model sees.",
    )

    # The metrics index
    metrics_index: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9_.-]*$",
        examples=["sidecar-metrics"],
        max_length=200,
        description="Index that the sidecar writes its own metrics to, as sidecar-metrics. Unset: none.",
    )
    metrics_interval: float = Field(default=60.0, gt=0, description="Seconds between two writes of the metrics index.")
    metrics_days: int = Field(default=30, ge=1, description="Days for which the metrics index keeps its documents.")

    # Traces and slow requests
    traces: bool = Field(
        default=False,
        description="Trace requests with OpenTelemetry, through to the cluster; the variables `OTEL_…` of its SDK say "
        "where spans go. Needs the extra `otel`.",
    )
    slow_query_ms: float | None = Field(
        default=None, ge=0, description="Milliseconds from which a search is logged as slow. Unset: none is."
    )
    slow_write_ms: float | None = Field(
        default=None, ge=0, description="The same for requests that add or change documents, streams left out."
    )

    # Bulk loads
    ray_address: str | None = Field(
        default=None,
        validation_alias="RAY_ADDRESS",
        description="Ray cluster that `sidecar ingest --engine ray` uses, as auto or host:6379. Unset: this machine "
        "alone, for as long as the load takes.",
    )

    # Logs
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is logged."
    )
    log_format: Literal["text", "json"] = Field(default="text", description="Log lines as text or as JSON.")

    @field_validator(
        "home", "node_data", "java_home", "machine_java_home", "opensearch_ca_file", "tls_certificate", "tls_key"
    )
    @classmethod
    def _expand(cls, value: Path | None) -> Path | None:
        try:
            return value.expanduser().absolute() if value is not None else None
        except RuntimeError as error:
            raise ValueError("begins with the home folder of a user whom this machine does not know") from error

    @field_validator("opensearch_url", "embedding_url", mode="before")
    @classmethod
    def _without_blanks(cls, value: Any) -> Any:
        # A secret that was read from a file often has the file's line break.
        return value.strip() if isinstance(value, str) else value

    @field_validator("native_port", mode="before")
    @classmethod
    def _none_for_empty(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("api_keys")
    @classmethod
    def _sendable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for key in value:
            if not key or key != key.strip() or not key.isprintable():
                raise ValueError("a key is empty, or has a character that no header can carry; give others")
        return value

    @field_validator("endpoints")
    @classmethod
    def _urls(cls, value: dict[str, str]) -> dict[str, str]:
        for number, start in enumerate(value, start=1):
            if not start.startswith(("http://", "https://")):
                # Not told: it may be the token, given in the URL's place.
                raise ValueError(f'entry {number} does not begin as a URL; give it as "http://host:8080": "token"')
        return value

    @property
    def uses_embedded_node(self) -> bool:
        """True where no cluster is named, so that the embedded node serves."""
        return self.opensearch_url is None

    @property
    def models_folder(self) -> Path:
        """Where converted models lie."""
        return self.home / "models"


def environment_name(field: str) -> str:
    """The environment variable that sets the field, as ``SIDECAR_PORT`` for ``port``."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else PREFIX + field.upper()


def json_form(field: str) -> str | None:
    """The form of a setting that is written as JSON, with an example; None for one that is text."""
    return _JSON_FORMS.get(get_origin(Settings.model_fields[field].annotation))


def is_secret(field: str) -> bool:
    """True for a setting that may hold a password, a key or a token: what it is set to is told to nobody."""
    return not Settings.model_fields[field].repr
