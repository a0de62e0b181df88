"""Log lines: one for each event, whatever is in it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.logs import FIELDS, JsonFormatter, TextFormatter, request_id, trace_id


def record(message: str, fields: dict[str, Any] | None = None, *, failed: bool = False) -> logging.LogRecord:
    error = ValueError("a\nb") if failed else None
    info = (ValueError, error, None) if error else None
    made = logging.LogRecord("sidecar.x", logging.INFO, "x.py", 1, message, (), info)
    if fields is not None:
        setattr(made, FIELDS, fields)
    return made


def test_text_line_has_time_level_logger_message_and_values() -> None:
    line = TextFormatter().format(record("answered", {"path": "/a b", "status": 200, "empty": ""}))
    time, rest = line.split(" ", 1)
    assert len(time) == len("2026-01-31T10:20:30.123Z")
    assert rest == 'INFO sidecar.x answered path="/a b" status=200 empty=""'


def test_json_line_has_the_values_as_they_are() -> None:
    values = json.loads(JsonFormatter().format(record("answered", {"status": 200, "ms": 1.5})))
    assert values.pop("time").endswith("Z")
    assert values == {"level": "info", "logger": "sidecar.x", "message": "answered", "status": 200, "ms": 1.5}


def test_line_names_the_request_that_is_served() -> None:
    token = request_id.set("abc")
    try:
        assert TextFormatter().format(record("said")).endswith("said request_id=abc")
        assert json.loads(JsonFormatter().format(record("said")))["request_id"] == "abc"
    finally:
        request_id.reset(token)


def test_line_names_the_trace_that_the_request_belongs_to() -> None:
    tokens = request_id.set("abc"), trace_id.set("0af7")
    try:
        assert TextFormatter().format(record("said", {"ms": 1})).endswith("said request_id=abc trace_id=0af7 ms=1")
        values = json.loads(JsonFormatter().format(record("said")))
        assert (values["request_id"], values["trace_id"]) == ("abc", "0af7")
    finally:
        request_id.reset(tokens[0])
        trace_id.reset(tokens[1])


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_any_text_stays_in_one_json_line(message: str, fields: dict[str, str]) -> None:
    line = JsonFormatter().format(record(message.replace("%", "%%"), fields))
    # Readers of files split at line feeds and carriage returns; JSON escapes both.
    assert len(line.encode("utf-8").splitlines()) == 1
    assert set(fields) <= set(json.loads(line))


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_exception_stays_in_the_line(formatter: logging.Formatter) -> None:
    line = formatter.format(record("failed", failed=True))
    assert "ValueError: a" in line
    assert "\n" not in line


@given(st.text(), st.text())
def test_any_text_stays_in_one_line(message: str, value: str) -> None:
    text = TextFormatter().format(record(message.replace("%", "%%"), {"value": value}))
    assert len(text.splitlines()) == 1


def test_forged_line_breaks_in_a_path_do_not_start_a_line() -> None:
    line = TextFormatter().format(record("answered", {"path": "/x\n2026 INFO forged status=200"}))
    assert line.endswith(r'path="/x\n2026 INFO forged status=200"')
