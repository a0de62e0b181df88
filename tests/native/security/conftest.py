"""The fixtures of these tests alone: the node and its servers are stopped when the last of the tests is done."""

from tests.native.security.fix_secured_node import account_sidecar, library, secured_node, secured_sidecar

__all__ = ["account_sidecar", "library", "secured_node", "secured_sidecar"]
