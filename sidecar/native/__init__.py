"""The OpenSearch-native face: forwards what clients of OpenSearch send, and embeds and rewrites what must be."""
