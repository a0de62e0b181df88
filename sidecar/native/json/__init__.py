"""JSON text that is looked into and changed by byte ranges, never written anew."""
