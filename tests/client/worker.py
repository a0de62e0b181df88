"""Runs in the Python of the client: calls its methods as lines of JSON tell it to, and answers in lines of JSON.

A line has `options` of the client, the `index` whose method it is (null for the client's own), `method`, `arguments`
and `named`. An answer has `value`, or `raised` with what the error tells; and `warnings`, which the client logged.
"""

import inspect
import json
import logging
import sys

import marqo
from marqo.index import Index
from marqo.instance_mappings import InstanceMappings

DESCRIBE = "describe"


class OneServer(InstanceMappings):
    """All indexes on one server."""

    def __init__(self, url):
        self.url = url

    def get_index_base_url(self, index_name):
        return self.url

    def get_control_base_url(self):
        return self.url

    def is_remote(self):
        return False

    def is_index_usage_allowed(self, index_name):
        return True

    def index_http_error_handler(self, index_name, http_status=None):
        pass


class Warnings(logging.Handler):
    """Keeps what was logged as a warning or worse."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.told = []

    def emit(self, record):
        self.told.append(record.getMessage())


def public_methods():
    """Class -> method -> the names of its parameters."""
    return {
        kind.__name__: {
            name: [parameter for parameter in inspect.signature(method).parameters if parameter != "self"]
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_") or name == "__init__"
        }
        for kind in (marqo.Client, Index)
    }


def make_client(options):
    mapped = options.pop("instance_mappings", None)
    if mapped is not None:
        options.update(url=None, instance_mappings=OneServer(mapped))
    return marqo.Client(**options)


def call(line):
    if line["method"] == DESCRIBE:
        return public_methods()
    client = make_client(line["options"])
    target = client if line["index"] is None else Index(client.config, line["index"])
    named = line["named"]
    if target is not client and line["method"] == "create":
        named["config"] = client.config
    return getattr(target, line["method"])(*line["arguments"], **named)


def as_json(value):
    if isinstance(value, Index):
        return {"index": value.index_name}
    return str(value)


def raised(error):
    facts = {name: getattr(error, name, None) for name in ("message", "code", "error_type", "status_code")}
    return {"class": type(error).__name__, "text": str(error), **facts}


def main():
    heard = Warnings()
    logging.getLogger("marqo").addHandler(heard)
    for text in sys.stdin:
        heard.told.clear()
        try:
            answer = {"value": call(json.loads(text))}
        except Exception as error:
            answer = {"raised": raised(error)}
        print(json.dumps({**answer, "warnings": heard.told}, default=as_json), flush=True)


main()
