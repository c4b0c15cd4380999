"""How a message leaves: one file a channel, its config beside it."""
