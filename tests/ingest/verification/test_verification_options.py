"""What of an index is looked at, and how the command tells it."""

from __future__ import annotations

import json
import time

import pytest
from click.testing import CliRunner, Result

from sidecar.cli import main
from sidecar.errors import IndexNotFound, InvalidArgument
from sidecar.ingest.verification.parts import VerificationParts
from sidecar.opensearch.client import Cluster
from sidecar.opensearch.load_settings import LEASE_SECONDS, LoadSettings
from tests.fix_server import Sidecar
from tests.ingest.verification.planting import plant, told, verified
from tests.native.declaring.indexes import send


def test_a_sample_is_about_as_large_as_asked_for(sidecar: Sidecar, index: str, parts: VerificationParts) -> None:
    sidecar.add(index, [{"_id": str(number), "title": f"t{number}"} for number in range(400)])
    assert 50 <= verified(parts, index, sample=100).verified <= 150
    assert verified(parts, index, sample=1000).verified == 400


def test_fields_may_be_chosen_and_must_be_there(
    node: str, sidecar: Sidecar, index: str, parts: VerificationParts
) -> None:
    sidecar.add(index, [{"_id": "d", "title": "a", "body": "b"}], tensor_fields=("title", "body"))
    plant(node, index, "missing", {"title": "t", "body": "b"})
    assert told(verified(parts, index, fields=("body",))) == {("body", "missing", ("missing",))}
    with pytest.raises(InvalidArgument, match=r"no embedded field 'nix': .*There are: body, title\."):
        verified(parts, index, fields=("nix",))


def test_an_index_without_vectors_and_an_unknown_one_are_told(
    node: str, index_name: str, parts: VerificationParts
) -> None:
    with pytest.raises(IndexNotFound):
        verified(parts, index_name)
    assert send(node, "PUT", f"/{index_name}", {})[0] == 200
    with pytest.raises(InvalidArgument, match="no field of which there are vectors"):
        verified(parts, index_name)


def test_settings_that_a_dead_load_has_left_are_restored(
    node: str, filled: str, parts: VerificationParts, cluster: Cluster
) -> None:
    dead = LoadSettings(cluster, clock=lambda: time.time() - 2 * LEASE_SECONDS)
    dead.join(filled, "a job that died")
    assert "refresh_interval" in send(node, "GET", f"/{filled}/_settings")[1][filled]["settings"]["index"]
    assert verified(parts, filled).restored == []
    assert filled in verified(parts, filled, fix=True).restored
    assert "refresh_interval" not in send(node, "GET", f"/{filled}/_settings")[1][filled]["settings"]["index"]


def command(node: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["verify", *arguments], env={"OPENSEARCH_URL": node})


def test_the_command_tells_by_its_status_what_it_found(node: str, filled: str) -> None:
    assert command(node, filled).exit_code == 0
    plant(node, filled, "missing", {"title": "no vectors"})
    found = command(node, filled)
    assert found.exit_code == 1
    assert [line.split()[1:5] for line in found.stdout.splitlines()[:2]] == [
        ["FIELD", "PROBLEM", "DOCUMENTS", "EXAMPLES"],
        ["title", "missing", "1", "missing"],
    ]
    as_json = json.loads(command(node, filled, "--json").stdout)
    assert (as_json["is_fine"], as_json["problems"][0]["examples"]) == (False, ["missing"])
    assert command(node, filled, "--fix").exit_code == 0
    assert command(node, filled).exit_code == 0
    unknown = command(node, "no-such-index")
    assert (unknown.exit_code, "no index 'no-such-index'" in unknown.stderr) == (2, True)
