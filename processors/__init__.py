"""Decide: PromQL over columns, rules, windows, the detector and the historian."""
