"""The commands, one file a family of verbs."""

from ops.cli.command_line import main

__all__ = ["main"]
