"""Tocsin's router, API and courier beside Alertmanager: what alerts and pages cost."""
