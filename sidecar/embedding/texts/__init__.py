"""Texts before they are embedded: where their words and sentences lie, and how they are cut into chunks."""
