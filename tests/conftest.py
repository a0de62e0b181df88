"""Fixtures of all tests; and which of them run in one process, where several run them side by side."""

from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fix_cluster",
    "tests.fix_models",
    "tests.fix_clip",
    "tests.fix_opensearch",
    "tests.fix_server",
    "tests.fix_client",
]

_TOGETHER = {
    "tests/native/security": "security",
    "tests/opensearch/test_node.py": "embedded-node",
    "tests/integration/test_serving.py": "embedded-node",
    "tests/cli/test_demo.py": "embedded-node",
    "tests/cli/test_opensearch.py": "embedded-node",
}
"""Folders and files whose tests share what takes long to start, or what a machine has once."""
_ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file share its fixtures, so that they belong together."""
    for item in items:
        place = item.path.relative_to(_ROOT).as_posix()
        group = next((name for start, name in _TOGETHER.items() if place.startswith(start)), place)
        item.add_marker(pytest.mark.xdist_group(group))
