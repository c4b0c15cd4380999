"""Fallback receivers: who is told when nobody at a receiver can be reached."""
