"""The sidecar's own metrics as documents of an index, so that Dashboards can draw them."""
