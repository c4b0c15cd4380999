"""Heartbeats: jobs that are heard of, or missed, and the router's own to the outside."""
