"""What is wrong with the shape of a request, in the words of the wire (section 6): those of pydantic 1."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import ErrorDetails, PydanticCustomError

from sidecar.errors import Unprocessable

Problem = dict[str, Any]

_TYPES = {
    "extra_forbidden": ("value_error.extra", "extra fields not permitted"),
    "missing": ("value_error.missing", "field required"),
    "int": ("type_error.integer", "value is not a valid integer"),
    "float": ("type_error.float", "value is not a valid float"),
    "bool": ("type_error.bool", "value could not be parsed to a boolean"),
    "string": ("type_error.str", "str type expected"),
    "list": ("type_error.list", "value is not a valid list"),
    "dict": ("type_error.dict", "value is not a valid dict"),
    "model": ("type_error.dict", "value is not a valid dict"),
}
_NONE = ("type_error.none.not_allowed", "none is not an allowed value")


def problem(loc: list[str | int], error_type: str, message: str) -> Problem:
    """One thing that is wrong, and where: `loc` starts with `body` or `query`."""
    return {"loc": loc, "msg": message, "type": error_type}


def missing(*loc: str) -> Problem:
    """Something required was not given."""
    error_type, message = _TYPES["missing"]
    return problem(list(loc), error_type, message)


def not_a(kind: str, *loc: str | int) -> Problem:
    """A value of another type than `kind`, one of int, bool, string, list and dict, stands there."""
    error_type, message = _TYPES[kind]
    return problem(list(loc), error_type, message)


def not_json(error: orjson.JSONDecodeError) -> Problem:
    """The body is no JSON text; the place is a count of characters."""
    told = problem(["body", error.pos], "value_error.jsondecode", str(error))
    told["ctx"] = {"msg": error.msg, "pos": error.pos, "lineno": error.lineno, "colno": error.colno}
    return told


def wrong_content_type(given: str) -> Problem:
    """The body is said to be something else than JSON."""
    error_type, _ = _TYPES["dict"]
    return problem(["body"], error_type, f"the Content-Type must be application/json, not {given}")


def told_as(kind: str) -> WrapValidator:
    """For a field of several types: what fits none of them is told as one problem, a value that is not a `kind`."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            raise PydanticCustomError(kind, _TYPES[kind][1]) from error

    return WrapValidator(check)


def check_shape(model: type[BaseModel], body: Any) -> Any:
    """The body as an instance of the model. Raises: Unprocessable, with all that is wrong."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise Unprocessable(problems_of(error)) from error


def problems_of(error: ValidationError) -> list[Problem]:
    """Pydantic's findings about a body, as the wire has them."""
    return [_from_details(details) for details in error.errors(include_url=False, include_context=False)]


def _from_details(details: ErrorDetails) -> Problem:
    kind = details["type"]
    known = _TYPES.get(kind) or _TYPES.get(kind.split("_")[0])
    if kind not in _TYPES and details["input"] is None:
        known = _NONE
    error_type, message = known or ("value_error", details["msg"].removeprefix("Value error, "))
    return problem(["body", *details["loc"]], error_type, message)
