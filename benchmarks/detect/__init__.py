"""The detector beside Prometheus: the same rules over the same series, in one run."""
