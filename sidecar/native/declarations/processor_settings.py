"""The settings of one processor, read and checked as OpenSearch reads those of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sidecar.native.errors import ILLEGAL_ARGUMENT, Refused

PARSE = "parse_exception"
_JAVA_NAMES = {
    bool: "Boolean",
    int: "Integer",
    float: "Double",
    str: "String",
    list: "ArrayList",
    dict: "LinkedHashMap",
}


class ProcessorSettings:
    """The settings of a processor of the type ``kind``; each is asked for once, and `finish` refuses the rest.

    The words of what is raised are those of OpenSearch's `ConfigurationUtils`.
    """

    def __init__(self, kind: str, settings: Mapping[str, Any]) -> None:
        self._kind = kind
        self._left = dict(settings)

    def text(self, name: str) -> str:
        """A string that must be there. Raises: Refused."""
        value = self.optional_text(name)
        if value is None:
            raise Refused(PARSE, f"[{name}] required property is missing")
        return value

    def optional_text(self, name: str, default: str | None = None) -> str | None:
        """A string, or what stands for none. Raises: Refused."""
        value = self._left.pop(name, None)
        if value is None:
            return default
        if not isinstance(value, str):
            raise Refused(PARSE, f"[{name}] property isn't a string, but of type [{_java_name(value)}]")
        return value

    def mapping(self, name: str) -> Mapping[str, Any]:
        """An object that must be there. Raises: Refused."""
        value = self.optional_mapping(name)
        if value is None:
            raise Refused(PARSE, f"[{name}] required property is missing")
        return value

    def optional_mapping(self, name: str) -> Mapping[str, Any] | None:
        """An object, or None. Raises: Refused."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, dict):
            raise Refused(PARSE, f"[{name}] property isn't a map, but of type [{_java_name(value)}]")
        return value

    def boolean(self, name: str) -> bool:
        """True or false; false where it is not there. Raises: Refused."""
        value = self._left.pop(name, None)
        if value is not None and not isinstance(value, bool):
            raise Refused(PARSE, f"[{name}] property isn't a boolean, but of type [{_java_name(value)}]")
        return bool(value)

    def positive(self, name: str) -> None:
        """Check a number that is above 0, and means nothing here. Raises: Refused."""
        value = self._left.pop(name, 1)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refused(PARSE, f"[{name}] property cannot be converted to an int [{value}]")
        if value < 1:
            raise Refused(PARSE, f"[{name}] {name} must be a positive integer")

    def refuse(self, name: str, reason: str) -> None:
        """Raise Refused where a setting is there."""
        if self._left.pop(name, None) is not None:
            raise Refused(ILLEGAL_ARGUMENT, f"[{self._kind}] can't have [{name}]: {reason}")

    def finish(self) -> None:
        """Raise Refused where a setting is there that nobody asked for."""
        for name in ("tag", "description"):
            self.optional_text(name)
        if self._left:
            names = ", ".join(self._left)
            problem = "doesn't support one or more provided configuration parameters"
            raise Refused(PARSE, f"processor [{self._kind}] {problem} [{names}]")


def _java_name(value: Any) -> str:
    return f"java.{'util' if isinstance(value, (list, dict)) else 'lang'}.{_JAVA_NAMES.get(type(value), 'Object')}"
