"""Figures that `docs/performance.md` quotes: `python -m benchmarks`, or `make bench`."""
