"""Run and remember: settings, transport, runtime, history, console, commands."""
