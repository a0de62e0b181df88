"""Every speed figure of the project, as ratios measured side by side in one run: ``python -m benchmarks``."""
