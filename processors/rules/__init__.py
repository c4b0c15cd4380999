"""Prometheus rule files: loading, instants, the life of an alert."""
