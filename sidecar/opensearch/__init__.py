"""All that talks to the cluster: client, mappings, index state, bulk writer and the embedded node."""
