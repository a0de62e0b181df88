"""One file for each loader; `sidecar.embedding.load` says which one a model gets."""
