"""Observe: the agent, its sources, its disk spool."""
