"""What puts Tocsin's surroundings in place: a Kafka for development, compose files, images."""
