"""Checks of what the sidecar needs from its machine and its cluster."""
