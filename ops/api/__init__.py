"""HTTP routes; nothing is decided here."""
