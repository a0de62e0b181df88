"""`sidecar ingest`: brings a source into an index, exactly and once, however often it is broken off."""
