"""Figures of the pipeline on Kafka: `python -m benchmarks.kafka`, or `make bench-kafka`."""
