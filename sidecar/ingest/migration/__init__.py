"""`sidecar migrate`: builds an index anew beside the old one, while that is in use, and takes its place."""
