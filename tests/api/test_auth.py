"""The key `modelAuth` of a request."""

from __future__ import annotations

from typing import Any

import pytest

from sidecar.api.schemas.auth import parse_model_auth
from sidecar.embedding.model_spec import ModelAuth
from sidecar.errors import InvalidArgument, Unprocessable

AWS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
AT = ["body", "modelAuth"]


def test_credentials_are_read_by_the_kind_of_their_place() -> None:
    assert parse_model_auth(None) is None
    read = parse_model_auth({"s3": {**AWS, "aws_session_token": None}, "hf": None})
    assert read == ModelAuth("s3", tuple(AWS.items()))
    assert parse_model_auth({"hf": {"token": "x"}}) == ModelAuth("hf", (("token", "x"),))
    assert parse_model_auth({"endpoint": {"token": "x"}}) == ModelAuth("endpoint", (("token", "x"),))


@pytest.mark.parametrize(
    "value",
    [{}, {"s3": AWS, "hf": {"token": "x"}}, {"gcs": {"token": "x"}}, {"hf": None}, {"hf": {"token": "x", "user": "y"}}],
)
def test_anything_but_one_known_place_is_an_invalid_argument(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="modelAuth"):
        parse_model_auth(value)


@pytest.mark.parametrize(
    ("value", "loc", "kind"),
    [
        ({"hf": {}}, [*AT, "hf", "token"], "value_error.missing"),
        (
            {"s3": {"aws_access_key_id": "a"}},
            [*AT, "s3", "aws_secret_access_key"],
            "value_error.missing",
        ),
        ({"hf": {"token": 5}}, [*AT, "hf", "token"], "type_error.str"),
        ({"hf": "token"}, [*AT, "hf"], "type_error.dict"),
        ("token", AT, "type_error.dict"),
    ],
)
def test_key_that_is_missing_or_no_string_is_422(value: Any, loc: list[str], kind: str) -> None:
    with pytest.raises(Unprocessable) as refused:
        parse_model_auth(value)
    assert [(problem["loc"], problem["type"]) for problem in refused.value.problems] == [(loc, kind)]


def test_credential_never_shows_in_an_error_or_a_repr() -> None:
    for value in ({"hf": {"tokn": "secret"}}, {"hf": {"token": "secret"}, "s3": {"x": "secret"}}):
        with pytest.raises(InvalidArgument) as refused:
            parse_model_auth(value)
        assert "secret" not in refused.value.message
    assert "secret" not in repr(parse_model_auth({"hf": {"token": "secret"}}))
