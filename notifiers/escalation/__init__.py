"""Escalation: who is called next, and when, while nobody has taken an incident on."""
