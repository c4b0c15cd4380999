"""How a stage is driven: log, checkpoints, wake-ups, crash points."""
