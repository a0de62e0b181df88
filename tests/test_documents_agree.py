"""What the documents say of settings, keys, tables and containers is what the code has."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from pydantic import BaseModel

from sidecar.api.schemas import documents, search, search_options
from sidecar.config import Settings, environment_name
from sidecar.dashboards import DEFAULT_INDEX
from sidecar.embedding.kinds import LOADERS
from sidecar.embedding.model_locations import LOCATION_KEYS
from sidecar.embedding.model_options import OPTION_KEYS, SHARED_KEYS
from sidecar.embedding.model_properties import ALIASES
from sidecar.given_settings import load_settings
from sidecar.opensearch.index_settings import IndexSettings
from tests.fix_server import Sidecar

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
MODELS = (ROOT / "docs" / "models.md").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]

DOCUMENTS = ["README.md", *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md")))]

SETTINGS = {environment_name(field) for field in Settings.model_fields}
VARIABLE = re.compile(r"\b(?:SIDECAR|OPENSEARCH)_[A-Z]\w*")


def table(head: str, text: str = README) -> list[list[str]]:
    """The rows of the document's table whose first line starts so, as cells."""
    lines = text.partition(f"\n| {head}")[2].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    assert rows, f"there is no table that starts with {head!r}"
    return rows


def keys(head: str, text: str = README) -> set[str]:
    """All names in backticks in the first cells of a table."""
    return {name for row in table(head, text) for name in re.findall(r"`([^`]+)`", row[0])}


def wire_keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def flat(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, entry in value.items():
        if isinstance(entry, dict):
            yield from flat(entry, f"{path}{key}.")
        else:
            yield path + key, entry


@pytest.mark.parametrize("tool", ["readme_tables", "reference_pages"])
def test_what_is_made_from_the_code_is_up_to_date(tool: str) -> None:
    command = [sys.executable, f"tools/{tool}.py", "--check"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_index_settings_table_has_every_key_with_its_default() -> None:
    told = {row[0].strip("`"): row[1] for row in table("Key | Default | Rule")}
    wire = dict(flat(IndexSettings().to_wire()))
    assert told.pop("index_defaults.search_model") == "the model"
    del wire["index_defaults.search_model"]
    for key in ("model_properties", "field_models", "ann_parameters.parameters.encoder"):
        assert told.pop(f"index_defaults.{key}") == "unset"
    assert told.pop("index_defaults.ann_parameters.data_type") == '"float"'.join("``")
    assert told.pop("index_defaults.search_model_properties") == "the model's"
    assert told == {key: f"`{json.dumps(value)}`" for key, value in wire.items()}


def test_search_table_has_every_key_with_its_default() -> None:
    body = search.SearchBody
    told = {row[0].strip("`"): row[1] for row in table("Key of `POST /indexes/{index}/search`")}
    assert told.keys() == wire_keys(body)
    assert told.pop("q") == "required"
    defaults = {field.alias or name: field.default for name, field in body.model_fields.items()}
    assert told == {key: f"`{json.dumps(defaults[key])}`" for key in told}


def test_hybrid_table_has_every_key() -> None:
    search_page = (ROOT / "docs" / "search.md").read_text("utf-8")
    assert keys("Key of `hybridParameters`", search_page) == wire_keys(search_options.HybridBody)


def test_documents_table_has_every_key() -> None:
    assert keys("Key of `POST /indexes/{index}/documents`") == wire_keys(documents.AddDocumentsBody)


def test_properties_table_has_every_property() -> None:
    own = {key for keys in OPTION_KEYS.values() for key in keys}
    assert keys("Property | Meaning", MODELS) == {*SHARED_KEYS, *LOCATION_KEYS, *own}


def test_property_types_are_told() -> None:
    (told,) = (row[1] for row in table("Property | Meaning", MODELS) if row[0] == "`type`")
    assert set(re.findall(r"`(\w+)`", told)) == {*LOADERS, *ALIASES}


@pytest.mark.parametrize("name", [*DOCUMENTS, "CHANGELOG.md", "Dockerfile"])
def test_every_variable_that_is_named_is_a_setting(name: str) -> None:
    assert set(VARIABLE.findall((ROOT / name).read_text("utf-8"))) - SETTINGS == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_within_the_documents_leads_somewhere(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        place, _, heading = target.partition("#")
        if target.startswith("http"):
            continue
        found = (ROOT / name).parent / place if place else ROOT / name
        assert found.exists(), target
        assert not heading or heading in _headings(found.read_text("utf-8")), target


def _headings(text: str) -> set[str]:
    lines = [line for line in text.splitlines() if re.match(r"#{1,4} ", line)]
    return {re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in lines}


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The settings that the sidecar of the compose file starts with."""
    monkeypatch.chdir(tmp_path)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    variables = dict(re.findall(r"^(?:ENV)?\s+(\w+)=(\S+)", DOCKERFILE, re.MULTILINE))
    for name, value in (variables | SERVICES["sidecar"]["environment"]).items():
        assert name in SETTINGS | {"HF_HOME"}
        monkeypatch.setenv(name, value)
    return load_settings()


def test_container_listens_where_its_port_is_published(container: Settings) -> None:
    assert container.host == "0.0.0.0"
    ports = [str(container.port), str(container.native_port)]
    assert [port.rsplit(":", 1)[1] for port in SERVICES["sidecar"]["ports"]] == ports
    assert f"EXPOSE {' '.join(ports)}\n" in DOCKERFILE


def test_container_keeps_its_files_in_its_volume(container: Settings) -> None:
    assert f"VOLUME {container.home}\n" in DOCKERFILE
    assert SERVICES["sidecar"]["volumes"] == [f"sidecar:{container.home}"]


def test_container_uses_the_cluster_of_the_compose_file(container: Settings) -> None:
    assert container.opensearch_url == "http://opensearch:9200"
    assert "opensearch" in SERVICES["sidecar"]["depends_on"]


def test_dashboards_asks_the_sidecars_native_port(container: Settings) -> None:
    hosts = json.loads(SERVICES["dashboards"]["environment"]["OPENSEARCH_HOSTS"])
    assert hosts == [f"http://sidecar:{container.native_port}"]
    assert SERVICES["dashboards"]["depends_on"] == {"sidecar": {"condition": "service_healthy"}}


def test_container_writes_the_index_that_the_saved_objects_draw(container: Settings) -> None:
    assert container.metrics_index == DEFAULT_INDEX


def test_container_has_time_to_finish_its_requests(container: Settings) -> None:
    assert int(SERVICES["sidecar"]["stop_grace_period"].removesuffix("s")) > container.grace


def test_containers_run_the_versions_that_the_embedded_node_has() -> None:
    version = Settings.model_fields["node_version"].default
    images = [service["image"] for service in SERVICES.values() if "opensearchproject" in service["image"]]
    assert [image.partition(":")[2] for image in images] == [version, version]


def test_services_are_waited_for_only_where_they_tell_that_they_are_there() -> None:
    for service in SERVICES.values():
        for name, wanted in service.get("depends_on", {}).items():
            assert wanted == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[name] or ("build" in SERVICES[name] and "\nHEALTHCHECK " in DOCKERFILE)


def test_ports_are_open_to_this_machine_only() -> None:
    published = [port for service in SERVICES.values() for port in service["ports"]]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_health_check_of_the_image_tells_a_ready_server_from_none(sidecar: Sidecar) -> None:
    found = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    assert found
    program, *arguments = json.loads(found[1])
    assert program == "python"

    def status(port: int | None) -> int:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, env=os.environ | {"SIDECAR_PORT": str(port)}, stderr=subprocess.DEVNULL, check=False
        ).returncode

    assert status(urlsplit(sidecar.url).port) == 0
    assert status(1) != 0
