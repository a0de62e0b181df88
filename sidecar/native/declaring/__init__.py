"""Requests that declare embedded fields: index creation, mappings and templates."""
