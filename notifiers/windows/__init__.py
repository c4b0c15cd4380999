"""Maintenance windows: alerts are held back by plan, by a calendar, or while a deploy runs."""
