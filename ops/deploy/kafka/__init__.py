"""Apache Kafka on this machine's Java, for development and tests: one broker, no Docker."""
