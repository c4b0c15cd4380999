"""Notices: messages to a receiver that belong to no group of alerts."""
