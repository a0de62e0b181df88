"""Log lines: one for each event, as text or as JSON, with the id of the request that it belongs to."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import uuid
from contextvars import ContextVar
from typing import Any, Literal, TextIO

import orjson

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that the running thread serves; empty outside of requests."""

trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""The id of the trace that it belongs to; empty where there is none."""

_FIT_ID = re.compile(r"[\x21-\x7e]{1,128}")

FIELDS = "fields"
"""A record's own values, by name: ``logger.info("answered", extra={FIELDS: {"status": 200}})``."""


def new_request_id(given: str | None) -> str:
    """The client's own id for its request, where it is fit to be logged; else a new one."""
    return given if given is not None and _FIT_ID.fullmatch(given) else uuid.uuid4().hex


def configure_logging(level: str, log_format: Literal["text", "json"], stream: TextIO | None = None) -> None:
    """Send what all loggers say, from that level on, to the stream (unset: standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Where a fault repeats, an exception of the logging itself would bury it.
    logging.raiseExceptions = False


class TextFormatter(logging.Formatter):
    """``2026-01-31T10:20:30.123Z INFO sidecar.module the message request_id=… name=value``."""

    def format(self, record: logging.LogRecord) -> str:
        parts = [_time_of(record), record.levelname, record.name, _one_line(record.getMessage())]
        parts += [f"{name}={_word(value)}" for name, value in _fields_of(record).items()]
        line = " ".join(parts)
        return f"{line} exception={_word(self.formatException(record.exc_info))}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object in a line: ``time``, ``level``, ``logger``, ``message``, and the record's own values."""

    def format(self, record: logging.LogRecord) -> str:
        values: dict[str, Any] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields_of(record),
        }
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(values, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(record, FIELDS, None) or {}
    ids = {"request_id": request_id.get(), "trace_id": trace_id.get()}
    return {**{name: value for name, value in ids.items() if value}, **fields}


def _time_of(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


def _word(value: object) -> str:
    """The value as one word; quoted, as in JSON, where it has a space, a quote or a character that is not printed."""
    text = str(value)
    is_word = text and text.isprintable() and not any(character in text for character in ' "=')
    return text if is_word else json.dumps(text)


def _one_line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)[1:-1].replace('\\"', '"')
