"""The `/indexes` HTTP API."""
