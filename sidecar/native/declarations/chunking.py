"""How texts are cut into chunks: the neural-search plugin's algorithms, their parameters and limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sidecar.native.declarations.declaration import Chunking
from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused

# Names, defaults and limits are those of the plugin's `processor/chunker` package (3.3).
FIXED_TOKEN_LENGTH = "fixed_token_length"
FIXED_CHAR_LENGTH = "fixed_char_length"
DELIMITER = "delimiter"
NO_CHUNK_LIMIT = -1
_TOKENIZERS = ("standard", "letter", "lowercase", "whitespace", "uax_url_email", "classic", "thai")
_OVERLAPS = (0.0, 0.5)

_Read = Callable[[str, Any], Any]


def read_chunking(algorithm: str, parameters: Mapping[str, Any]) -> Chunking:
    """A way of chunking, checked, with every default filled in; parameters that the algorithm hasn't are ignored.

    Raises: Refused, as the plugin does.
    """
    known = _PARAMETERS.get(algorithm)
    if known is None:
        names = ", ".join(_PARAMETERS)
        problem = f"Chunking algorithm [{algorithm}] is not supported."
        raise Refused(ILLEGAL_ARGUMENT, f"{problem} Supported chunking algorithms are [{names}]")
    read = {
        name: check(name, parameters[name]) if name in parameters else default
        for name, (default, check) in known.items()
    }
    return Chunking(algorithm, read)


def _positive(name: str, value: Any) -> int:
    number = _integer(name, value)
    if number <= 0:
        raise Refused(ILLEGAL_ARGUMENT, f"Parameter [{name}] must be positive.")
    return number


def _chunk_limit(name: str, value: Any) -> int:
    number = _integer(name, value)
    if number <= 0 and number != NO_CHUNK_LIMIT:
        raise Refused(
            ILLEGAL_ARGUMENT, f"Parameter [{name}] must be positive or {NO_CHUNK_LIMIT} to disable this parameter"
        )
    return number


def _integer(name: str, value: Any) -> int:
    # Numbers in strings count as numbers.
    try:
        return int(str(value))
    except ValueError as error:
        raise Refused(ILLEGAL_ARGUMENT, f"Parameter [{name}] must be of java.lang.Integer type") from error


def _overlap_rate(name: str, value: Any) -> float:
    try:
        number = float(str(value))
    except ValueError as error:
        raise Refused(ILLEGAL_ARGUMENT, f"Parameter [{name}] must be of java.lang.Double type") from error
    least, most = _OVERLAPS
    if not least <= number <= most:
        raise Refused(ILLEGAL_ARGUMENT, f"Parameter [{name}] must be between {least} and {most}, but was {number}")
    return number


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(ILLEGAL_ARGUMENT, f"Parameter [{name}] must be of java.lang.String type")
    if not value:
        raise Refused(ILLEGAL_ARGUMENT, f"Parameter [{name}] should not be empty.")
    return value


def _tokenizer(name: str, value: Any) -> str:
    text = _text(name, value)
    if text not in _TOKENIZERS:
        names = ", ".join(_TOKENIZERS)
        problem = f"Tokenizer [{text}] is not supported for [{FIXED_TOKEN_LENGTH}] algorithm."
        raise Refused(ILLEGAL_ARGUMENT, f"{problem} Supported tokenizers are [{names}]")
    return text


_PARAMETERS: dict[str, dict[str, tuple[Any, _Read]]] = {
    FIXED_TOKEN_LENGTH: {
        "token_limit": (384, _positive),
        "overlap_rate": (0.0, _overlap_rate),
        "tokenizer": ("standard", _tokenizer),
        "max_chunk_limit": (100, _chunk_limit),
    },
    FIXED_CHAR_LENGTH: {
        "char_limit": (2048, _positive),
        "overlap_rate": (0.0, _overlap_rate),
        "max_chunk_limit": (100, _chunk_limit),
    },
    DELIMITER: {"delimiter": ("\n\n", _text), "max_chunk_limit": (100, _chunk_limit)},
}
