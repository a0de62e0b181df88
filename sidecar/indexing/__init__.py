"""The write path: from a document to its chunks, their embeddings and the bulk actions."""
