"""The API described in OpenAPI's terms, from the models and errors that serve it."""
