"""Incidents: a group from its first page to its resolution, and what people do about it."""
