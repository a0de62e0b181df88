"""Bulk jobs: work on many documents that ends, tells how far it is, and can be taken up again."""
