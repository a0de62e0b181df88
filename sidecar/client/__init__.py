"""A typed client for what the existing client library lacks."""
