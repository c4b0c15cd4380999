"""A synthetic fleet, for benchmarks and capacity tests."""
