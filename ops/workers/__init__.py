"""Workers on Kafka: one part of the pipeline a process, each with probes of its own."""
