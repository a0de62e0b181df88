"""Models, their weights, their loaders, and the engine that batches the work of all threads."""
