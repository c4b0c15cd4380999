"""Unit tests of rules in promtool's format: the same verdicts, in the same words."""
