"""The users of the node with the Security plugin, and what they may do."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "docs" / "native-security-and-dashboards.md"

PASSWORD = "Sidecar-test-1"
_HASH = "$2b$05$abcdefghijklmnopqrstuuHtVfjvyvYVu.9usNlsx5f2y1jD6A5DW"
"""Of the password, by bcrypt."""

ADMIN = "admin"
READER = "reader"
"""Reads the indexes ``books*``, and may know what they are."""
SEARCHER = "searcher"
"""Searches ``books*``, and may know nothing else of them."""
WRITER = "writer"
"""Writes to ``books*`` and reads nothing."""
FOREIGNER = "foreigner"
"""Reads of ``books*`` the English documents, without their field ``secret``."""
BLINDED = "blinded"
"""Reads ``books*`` without the vectors."""
INDEXER = "indexer"
"""Whom the sidecar of the tests is, in ``OPENSEARCH_URL``: may do what it likes with ``made-*``."""
SERVICE = "service"
"""Whom it is in ``SIDECAR_NATIVE_ACCOUNT``: knows what every index is, and reads no document."""
NOBODY = "nobody"
"""May log in, and nothing else."""

METRICS = "metrics"
"""Whom it is to write its metrics index."""


def role_of_page(name: str) -> dict[str, Any]:
    """A role as the page for users gives it."""
    found = re.search(rf"<!-- role: {name} -->\n```json\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found, name
    role: dict[str, Any] = json.loads(found[1])
    return role


_KNOWS = [
    "indices:admin/get",
    "indices:admin/mappings/get",
    "indices:monitor/settings/get",
    "indices:admin/aliases/get",
]


def _on(patterns: list[str], actions: list[str], **more: Any) -> dict[str, Any]:
    return {"index_patterns": patterns, "allowed_actions": actions, **more}


_SEARCHES = ["cluster_composite_ops_ro"]
ROLES: dict[str, Any] = {
    READER: {"cluster_permissions": _SEARCHES, "index_permissions": [_on(["books*"], ["read", *_KNOWS])]},
    SEARCHER: {"cluster_permissions": _SEARCHES, "index_permissions": [_on(["books*"], ["read"])]},
    WRITER: {
        "cluster_permissions": ["indices:data/write/bulk"],
        "index_permissions": [
            _on(["books*"], ["indices:data/write/*", "indices:admin/mapping/put", "indices:admin/mapping/auto_put"])
        ],
    },
    FOREIGNER: {
        "cluster_permissions": _SEARCHES,
        "index_permissions": [_on(["books*"], ["read", *_KNOWS], dls='{"term": {"lang": "en"}}', fls=["~secret"])],
    },
    BLINDED: {
        "cluster_permissions": _SEARCHES,
        "index_permissions": [_on(["books*"], ["read", *_KNOWS], fls=["~body_vector"])],
    },
    INDEXER: {
        "cluster_permissions": ["cluster_composite_ops", "cluster_monitor"],
        "index_permissions": [_on(["made-*"], ["indices_all"])],
    },
    SERVICE: role_of_page("service"),
    METRICS: role_of_page("metrics"),
}
ROLES_MAPPING: dict[str, Any] = {
    "all_access": {"users": [ADMIN]},
    **{role: {"users": [role]} for role in ROLES},
}
INTERNAL_USERS: dict[str, Any] = {user: {"hash": _HASH} for user in (ADMIN, NOBODY, *ROLES)}


def config() -> dict[str, Any]:
    """How users are known: by password, and by the word of a proxy on this machine, which the sidecar is not."""
    return {
        "http": {
            "anonymous_auth_enabled": False,
            "xff": {"enabled": True, "internalProxies": r"127\.0\.0\.1", "remoteIpHeader": "x-forwarded-for"},
        },
        "authc": {
            "proxy": {
                "http_enabled": True,
                "transport_enabled": False,
                "order": 0,
                "http_authenticator": {
                    "type": "proxy",
                    "challenge": False,
                    "config": {"user_header": "x-proxy-user", "roles_header": "x-proxy-roles"},
                },
                "authentication_backend": {"type": "noop"},
            },
            "passwords": {
                "http_enabled": True,
                "transport_enabled": True,
                "order": 1,
                "http_authenticator": {"type": "basic", "challenge": True},
                "authentication_backend": {"type": "intern"},
            },
        },
    }


def basic(user: str, password: str = PASSWORD) -> dict[str, str]:
    """The header by which a user logs in."""
    pair = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {pair}"}
