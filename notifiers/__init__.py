"""Tell: routing, grouping, the outbox and the channels."""
