"""An OpenSearch with the Security plugin: TLS on both of its ports, and users of different rights.

It is OpenSearch 3.4.0, the newest that has the plugin on Maven. It is started once, for the first test
that wants it, and stopped after the last.
What Maven has of 3.4.0 lacks the modules, which its plugins want: those are taken from the release after it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from filelock import FileLock

from sidecar.given_settings import load_settings
from sidecar.opensearch.node import ephemeral
from sidecar.opensearch.node.account import FOLDER_MODE, Account, node_account
from sidecar.opensearch.node.configuration import java_command, write_configuration
from sidecar.opensearch.node.distribution import Archive, download, install
from sidecar.opensearch.node.java import find_java
from sidecar.opensearch.node.places import NodeFolder, Places, places_of
from sidecar.opensearch.node.process import choose_port, has_ended, launch
from sidecar.opensearch.node.progress import silent
from sidecar.opensearch.node.state import NodeState, User, write_state
from tests.fix_opensearch import TEST_JAVA_OPTIONS
from tests.fix_server import Sidecar
from tests.native.security.users import ADMIN, INTERNAL_USERS, PASSWORD, ROLES, ROLES_MAPPING, SERVICE, basic, config

VERSION = "3.4.0"
PLUGIN = Archive("org.opensearch.plugin", "opensearch-security", f"{VERSION}.0")
MODULES = ("lang-painless", "reindex", "rule-framework")
START_SECONDS = 120.0


@dataclass(frozen=True)
class SecuredNode:
    """Where it is, and the file of the authority that signed its certificate."""

    url: str
    ca_file: Path

    def url_of(self, user: str, password: str = PASSWORD) -> str:
        """The URL with a user's credentials."""
        return self.url.replace("https://", f"https://{user}:{password}@")

    def request(self, method: str, target: str, user: str | None = None, **options: Any) -> requests.Response:
        """One request to the cluster itself; options are those of the requests library."""
        headers = {**(basic(user) if user else {}), **options.pop("headers", {})}
        return requests.request(
            method, self.url + target, headers=headers, verify=str(self.ca_file), timeout=60, **options
        )


@pytest.fixture(scope="package")
def secured_node() -> Iterator[SecuredNode]:
    """The run's node with the Security plugin."""
    account = node_account()
    settings = load_settings(node_version=VERSION, node_heap="512m", node_java_options=TEST_JAVA_OPTIONS)
    places = places_of(settings, account)
    distribution = install_secured(places)
    user = User.this_process()
    folder = ephemeral.make(places, user)
    try:
        port = choose_port(0)
        write_configuration(folder, port=port, account=account)
        ca_file = write_security(folder, account)
        java = find_java(settings, account, download_folder=places.java)
        command = java_command(java, distribution, folder, settings)
        process = launch(command, folder=folder, working_folder=distribution, account=account)
        url = f"https://127.0.0.1:{port}"
        write_state(folder, NodeState(process.pid, url, VERSION, str(folder.data), users=(user,)))
        node = SecuredNode(url, ca_file)
        wait_ready(node, process, folder)
        yield node
    finally:
        ephemeral.remove(folder)


@pytest.fixture(scope="package")
def secured_sidecar(secured_node: SecuredNode) -> Iterator[Sidecar]:
    """A server in front of that node, which reads what indexes are as its callers."""
    with Sidecar(sidecar_environment(secured_node)) as running:
        yield running


@pytest.fixture(scope="package")
def account_sidecar(secured_node: SecuredNode) -> Iterator[Sidecar]:
    """The same with an account of its own to read what indexes are."""
    environment = sidecar_environment(secured_node) | {"SIDECAR_NATIVE_ACCOUNT": f"{SERVICE}:{PASSWORD}"}
    with Sidecar(environment) as running:
        yield running


def sidecar_environment(node: SecuredNode) -> dict[str, str]:
    """Settings of a sidecar in front of the node."""
    return {"OPENSEARCH_URL": node.url_of("indexer"), "SIDECAR_OPENSEARCH_CA_FILE": str(node.ca_file)}


def install_secured(places: Places) -> Path:
    """The unpacked OpenSearch with its plugins, kept beside those without the Security plugin."""
    folder = places.distribution(f"{VERSION}-security")
    newer_version = load_settings().node_version
    newer = places.distribution(newer_version)
    install(folder, VERSION, silent)
    install(newer, newer_version, silent)
    plugin = folder / "plugins" / PLUGIN.name
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if not plugin.is_dir():
            for name in MODULES:
                _take_module(newer / "modules" / name, folder / "modules" / name, newer_version)
            unpacked = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            with zipfile.ZipFile(download(PLUGIN, silent, own_cache=places.shared / "maven")) as archive:
                archive.extractall(unpacked)
            for part in (unpacked, *unpacked.rglob("*")):
                part.chmod(FOLDER_MODE if part.is_dir() else 0o644)
            unpacked.rename(plugin)
    return folder


def _take_module(source: Path, target: Path, version: str) -> None:
    """Copy a module, which says then that it is of this version."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    descriptor = target / "plugin-descriptor.properties"
    descriptor.write_text(descriptor.read_text("utf-8").replace(f"={version}", f"={VERSION}"), "utf-8")


def write_security(folder: NodeFolder, account: Account | None) -> Path:
    """Make certificates, users and roles, and let the node have them; returns the authority's file."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost", common_name="node")
    key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    made: dict[str, bytes] = {
        "ca.pem": authority.cert_pem.bytes(),
        "node.pem": b"".join(part.bytes() for part in issued.cert_chain_pems),
        # The plugin reads no other form.
        "node-key.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    kinds: dict[str, tuple[str, Mapping[str, Any]]] = {
        "config": ("config", {"config": {"dynamic": config()}}),
        "internal_users": ("internalusers", INTERNAL_USERS),
        "roles": ("roles", ROLES),
        "roles_mapping": ("rolesmapping", ROLES_MAPPING),
        "action_groups": ("actiongroups", {}),
        "tenants": ("tenants", {}),
    }
    for name, (kind, values) in kinds.items():
        # JSON is YAML.
        body = {"_meta": {"type": kind, "config_version": 2}, **values}
        made[f"opensearch-security/{name}.yml"] = json.dumps(body).encode()
    (folder.config / "opensearch-security").mkdir()
    for name, content in made.items():
        (folder.config / name).write_bytes(content)
    with (folder.config / "opensearch.yml").open("a", encoding="utf-8") as file:
        file.writelines(f"{name}: {json.dumps(value)}\n" for name, value in node_settings().items())
    for part in folder.config.rglob("*"):
        part.chmod(FOLDER_MODE if part.is_dir() else 0o644)
    public = folder.root / "ca.pem"
    shutil.copyfile(folder.config / "ca.pem", public)
    return public


def node_settings() -> dict[str, Any]:
    """What stands in ``opensearch.yml`` for the plugin; client certificates are taken where there are any."""
    security: dict[str, Any] = {"plugins.security.ssl.http.enabled": True}
    for layer in ("http", "transport"):
        security |= {
            f"plugins.security.ssl.{layer}.pemcert_filepath": "node.pem",
            f"plugins.security.ssl.{layer}.pemkey_filepath": "node-key.pem",
            f"plugins.security.ssl.{layer}.pemtrustedcas_filepath": "ca.pem",
        }
    return security | {
        "plugins.security.ssl.http.clientauth_mode": "OPTIONAL",
        "plugins.security.allow_default_init_securityindex": True,
        "plugins.security.authcz.admin_dn": ["CN=admin"],
        "plugins.security.authcz.rest_impersonation_user": {"reader": [ADMIN]},
        "plugins.security.restapi.roles_enabled": ["all_access"],
    }


def wait_ready(node: SecuredNode, process: subprocess.Popen[bytes], folder: NodeFolder) -> None:
    """Return when the node answers its administrator."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if node.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s", ADMIN).status_code == 200:
                return
        except requests.ConnectionError:
            assert not has_ended(process.pid), folder.console.read_text("utf-8", "replace")[-4000:]
        time.sleep(0.1)
    raise AssertionError(folder.log.read_text("utf-8", "replace")[-8000:])


@pytest.fixture(scope="package")
def library(secured_node: SecuredNode, secured_sidecar: Sidecar) -> SecuredNode:
    """The node with two indexes of embedded documents, made through the sidecar: ``books`` and ``secrets``."""
    for index in ("books", "secrets"):
        made = ask(secured_sidecar, "PUT", f"/{index}", ADMIN, json=index_body())
        assert made.status_code == 200, made.text
        body = b"".join(
            json.dumps({"index": {"_id": number}}).encode() + b"\n" + json.dumps(document).encode() + b"\n"
            for number, document in BOOKS.items()
        )
        written = ask(secured_sidecar, "POST", f"/{index}/_bulk?refresh=true", ADMIN, data=body)
        assert written.json()["errors"] is False, written.text
    return secured_node


BOOKS = {
    "1": {"body": "wild west", "lang": "en", "secret": "red"},
    "2": {"body": "wilder westen", "lang": "de", "secret": "green"},
    "3": {"body": "far east", "lang": "en", "secret": "blue"},
}
MODEL = "random/small"


def index_body() -> dict[str, Any]:
    """An index whose field ``body`` is embedded."""
    return {
        "settings": {"number_of_shards": 1, "number_of_replicas": 0},
        "mappings": {
            "_meta": {"sidecar": {"fields": {"body_vector": {"source": "body", "model": MODEL}}}},
            "properties": {"body": {"type": "text"}, "lang": {"type": "keyword"}, "secret": {"type": "keyword"}},
        },
    }


def ask(sidecar: Sidecar, method: str, target: str, user: str | None = None, **options: Any) -> requests.Response:
    """One request to the sidecar's native port; options are those of the requests library."""
    headers = {**(basic(user) if user else {}), **options.pop("headers", {})}
    if "data" in options:
        headers = {"Content-Type": "application/x-ndjson", **headers}
    return requests.request(method, sidecar.native_url + target, headers=headers, timeout=60, **options)
