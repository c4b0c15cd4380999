"""ClickHouse: the door, the schema, and the engine as a child process."""
