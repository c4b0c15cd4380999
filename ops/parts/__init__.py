"""Parts that run over any log: embedded in `tocsin up`, or alone as a worker on Kafka."""
