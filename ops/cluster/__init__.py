"""How all workers on a cluster are, for people: facts asked of Kafka, and a pure report of them."""
