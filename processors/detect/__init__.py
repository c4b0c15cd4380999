"""Detectors for what PromQL says badly: one file each, listed in `registry`."""
