"""The log: what `Publish` and `Inbox` are made of."""
