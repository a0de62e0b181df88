"""The manifests: they are what Kubernetes takes, and name what the sidecar and its image have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import sidecar
from sidecar.api.keys import FREE_PATHS
from sidecar.config import Settings, environment_name
from sidecar.embedding.model_table import ModelTable
from sidecar.given_settings import load_settings
from tests.docs.blocks import ROOT, blocks_of
from tests.docs.command_lines import wrong_with

FOLDER = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.31", "1.34", "1.37")
NAMES = {"app.kubernetes.io/name": "vector-sidecar"}
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SETTINGS = {environment_name(field) for field in Settings.model_fields}
KUSTOMIZATION = "kustomization.yaml"


def manifest(name: str) -> dict[str, Any]:
    """The one object of a file."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return found


FILES = sorted(path.name for path in FOLDER.iterdir() if path.name != KUSTOMIZATION)
POD: dict[str, Any] = manifest("deployment.yaml")["spec"]["template"]["spec"]
(SERVER,) = POD["containers"]
(MODELS,) = POD["initContainers"]
GIVEN = {each["name"]: each.get("value") for each in SERVER["env"]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", FILES)
def test_manifest_is_what_kubernetes_takes(name: str, version: str) -> None:
    kubernetes_validate.validate(manifest(name), version, strict=True)


def test_unknown_key_is_found() -> None:
    wrong = manifest("service.yaml")
    wrong["spec"]["port"] = wrong["spec"].pop("ports")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_kustomization_has_all_that_is_applied_and_the_version() -> None:
    text = manifest(KUSTOMIZATION)
    assert {*text["resources"], "models-volume.yaml"} == set(FILES)
    (image,) = text["images"]
    assert {image["name"]} == {each["image"] for each in (SERVER, MODELS)}
    assert image["newTag"] == sidecar.__version__


def test_settings_are_known_and_good(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    secret = {found[1]: found[2] for found in re.finditer(r"--from-literal=(\w+)='?([^'\s]+)", _page())}
    values = {name: value or "2" for name, value in GIVEN.items()} | secret
    assert secret and values.keys() <= SETTINGS
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.api_keys and settings.opensearch_url
    for model in settings.preload_models:
        assert ModelTable().resolve(str(model))
        assert MODELS["args"] == ["models", "convert", model]
    assert (
        settings.grace + int(SERVER["lifecycle"]["preStop"]["exec"]["command"][1])
        < POD["terminationGracePeriodSeconds"]
    )


def _page() -> str:
    return "\n".join(block.text for block in blocks_of("docs/kubernetes.md"))


def test_models_are_fetched_by_a_command_that_there_is() -> None:
    assert wrong_with(MODELS["args"]) is None


def test_ports_are_those_of_the_image_and_the_service() -> None:
    ports = {port["name"]: str(port["containerPort"]) for port in SERVER["ports"]}
    assert f"EXPOSE {' '.join(ports.values())}\n" in DOCKERFILE
    assert {each["targetPort"]: str(each["port"]) for each in manifest("service.yaml")["spec"]["ports"]} == ports


def test_probes_ask_what_needs_no_key_and_lives_without_the_cluster() -> None:
    paths = {kind: SERVER[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/", "liveness": "/", "readiness": "/ready"}
    assert set(paths.values()) <= FREE_PATHS


def test_pod_is_unprivileged_and_writes_to_volumes_alone() -> None:
    context = POD["securityContext"]
    assert context["runAsNonRoot"] is True
    assert f"--uid {context['runAsUser']} sidecar" in DOCKERFILE
    volumes = {volume["name"] for volume in POD["volumes"]}
    for container in (SERVER, MODELS):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert f"VOLUME {next(iter(mounts))}\n" in DOCKERFILE
        assert set(mounts) == {"/var/lib/vector-sidecar", "/tmp"}
        assert set(mounts.values()) == volumes


def test_all_select_the_pods_of_the_deployment() -> None:
    deployment = manifest("deployment.yaml")
    assert deployment["spec"]["template"]["metadata"]["labels"] == NAMES
    assert deployment["spec"]["selector"]["matchLabels"] == NAMES
    assert manifest("service.yaml")["spec"]["selector"] == NAMES
    assert manifest("disruption-budget.yaml")["spec"]["selector"]["matchLabels"] == NAMES
    target = manifest("autoscaler.yaml")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == (deployment["kind"], deployment["metadata"]["name"])
    # With a number of its own each `kubectl apply` would undo what the autoscaler has done.
    assert "replicas" not in deployment["spec"]


def test_patch_of_the_page_changes_the_folder_of_models() -> None:
    (patch,) = re.findall(r"--patch '(.+?)'", _page(), re.DOTALL)
    (change,) = yaml.safe_load(patch)
    assert change["path"].endswith("/volumes/0") and POD["volumes"][0]["name"] == change["value"]["name"]
    claim = change["value"]["persistentVolumeClaim"]["claimName"]
    assert manifest("models-volume.yaml")["metadata"]["name"] == claim
