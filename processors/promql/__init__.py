"""PromQL: parse once, plan once, evaluate on arrays."""
