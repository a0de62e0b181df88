"""Traces of requests, through to the cluster."""
