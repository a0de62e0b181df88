"""The face of an evaluation: its table, its files, its page with plots, and what to choose."""
