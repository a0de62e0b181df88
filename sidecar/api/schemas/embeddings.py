"""The body of a request for embeddings, in the form of OpenAI's API."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, with_config
from typing_extensions import NotRequired, TypedDict

from sidecar.api.schemas.auth import KEY as AUTH_KEY
from sidecar.api.schemas.auth import ModelAuthBody, parse_model_auth
from sidecar.embedding.model_spec import ModelAuth
from sidecar.errors import InvalidArgument, Unprocessable

MAX_INPUTS = 2048
"""As OpenAI's API has it."""

EncodingFormat = Literal["float", "base64"]


class InputType(str, Enum):
    """What the inputs are, by which the model's prefix is chosen."""

    QUERY = "query"
    PASSAGE = "passage"


class BadParameter(InvalidArgument):
    """One of the body's keys breaks a rule; ``param`` is the key."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class ImageInput:
    """An image to be embedded, by its pointer."""

    pointer: str


@dataclass(frozen=True, slots=True)
class EmbeddingsRequest:
    """What is to be embedded, by which model, and how the vectors are wanted."""

    inputs: tuple[str | ImageInput, ...]
    model: str
    model_properties: Mapping[str, Any] | None
    auth: ModelAuth | None
    normalize: bool
    input_type: InputType | None
    encoding_format: EncodingFormat
    dimensions: int | None


@with_config({"extra": "forbid"})
class TextObject(TypedDict):
    """A text as an object."""

    text: str
    type: NotRequired[Literal["text"] | None]


@with_config({"extra": "forbid"})
class ImageObject(TypedDict):
    """An image by its URL or path, as a data URI, or as base64."""

    image: str
    type: NotRequired[Literal["image"] | None]


class Url(TypedDict):
    """A place."""

    url: str


@with_config({"extra": "forbid"})
class ImageUrlObject(TypedDict):
    """An image in the form of OpenAI's API."""

    image_url: Url
    type: NotRequired[Literal["image_url"] | None]


EmbeddingsInput = str | TextObject | ImageObject | ImageUrlObject


@with_config({"extra": "forbid"})
class EmbeddingsBody(TypedDict):
    """What is to be embedded, by which model; as JSON, read by `parse_embeddings`."""

    input: EmbeddingsInput | Annotated[list[EmbeddingsInput], Field(min_length=1, max_length=MAX_INPUTS)]
    model: Annotated[str, Field(min_length=1)]
    encoding_format: NotRequired[EncodingFormat | None]
    dimensions: NotRequired[Annotated[int, Field(gt=0)] | None]
    user: NotRequired[Any]
    model_properties: NotRequired[dict[str, Any] | None]
    normalize: NotRequired[bool | None]
    input_type: NotRequired[InputType | Literal["none"] | None]
    modelAuth: NotRequired[ModelAuthBody]


_KEYS = tuple(EmbeddingsBody.__annotations__)


def parse_embeddings(body: Any) -> EmbeddingsRequest:
    """A request for embeddings. Nulls count as not given; ``user`` is accepted and not used.

    Raises: BadParameter naming the key; InvalidArgument where the body is no object.
    """
    if not isinstance(body, dict):
        raise InvalidArgument("The body must be a JSON object with 'input' and 'model'.")
    for key in body:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(_KEYS)}."
            raise BadParameter(key, f"{key!r} is not a key of this request. {hint}")
    return EmbeddingsRequest(
        inputs=_inputs(body.get("input")),
        model=_model(body.get("model")),
        model_properties=_properties(body.get("model_properties")),
        auth=_auth(body.get(AUTH_KEY)),
        normalize=_flag(body.get("normalize")),
        input_type=_input_type(body.get("input_type")),
        encoding_format=_encoding_format(body.get("encoding_format")),
        dimensions=_dimensions(body.get("dimensions")),
    )


def _inputs(value: Any) -> tuple[str | ImageInput, ...]:
    entries = value if isinstance(value, list) else [value]
    if not entries or value is None:
        raise BadParameter("input", "'input' must be a text, an image object, or a list of them that is not empty.")
    if len(entries) > MAX_INPUTS:
        raise BadParameter(
            "input", f"'input' has {len(entries)} entries; the limit is {MAX_INPUTS}. Send several requests."
        )
    return tuple(_input(position, entry) for position, entry in enumerate(entries))


def _input(position: int, entry: Any) -> str | ImageInput:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, (int, list)) and not isinstance(entry, bool):
        raise BadParameter("input", "'input' has tokens; they are another model's, so send the text itself.")
    kind = entry.get("type") if isinstance(entry, dict) else None
    content = {key: value for key, value in entry.items() if key != "type"} if isinstance(entry, dict) else {}
    match content:
        case {"text": str(text), **rest} if not rest and kind in (None, "text"):
            return text
        case {"image": str(pointer), **rest} if not rest and kind in (None, "image"):
            return ImageInput(pointer)
        case {"image_url": {"url": str(url)}, **rest} if not rest and kind in (None, "image_url"):
            return ImageInput(url)
    raise BadParameter(
        "input",
        f'input[{position}] must be a text, {{"text": …}}, {{"image": …}} with a URL, path, data URI or base64, or '
        '{"type": "image_url", "image_url": {"url": …}}.',
    )


def _model(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise BadParameter("model", "'model' must be the name of a model; GET /v1/models lists them.")


def _properties(value: Any) -> dict[str, Any] | None:
    if value is None or isinstance(value, dict):
        return value
    raise BadParameter("model_properties", "'model_properties' must be an object.")


def _auth(value: Any) -> ModelAuth | None:
    try:
        return parse_model_auth(value)
    except (InvalidArgument, Unprocessable) as error:
        raise BadParameter(AUTH_KEY, f"{AUTH_KEY}: {error.message}") from error


def _flag(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return value is not False
    raise BadParameter("normalize", "'normalize' must be true or false.")


def _input_type(value: Any) -> InputType | None:
    if value is None or value == "none":
        return None
    try:
        return InputType(value)
    except ValueError:
        raise BadParameter("input_type", f"'input_type' must be query, passage or none; given: {value!r}.") from None


def _encoding_format(value: Any) -> EncodingFormat:
    if value is None:
        return "float"
    if value in get_args(EncodingFormat):
        chosen: EncodingFormat = value
        return chosen
    raise BadParameter("encoding_format", f"'encoding_format' must be float or base64; given: {value!r}.")


def _dimensions(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise BadParameter("dimensions", f"'dimensions' must be an integer above 0; given: {value!r}.")
