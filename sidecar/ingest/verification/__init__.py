"""`sidecar verify`: whether every document has the vectors that it should, and repairs where not."""
