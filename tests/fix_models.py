"""Real models for tests."""
