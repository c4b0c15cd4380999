"""A program that is told: one message on its standard input, its exit code is the answer."""

import json
import os
import signal
import subprocess
from contextlib import suppress

from notifiers.channels.channel import DeliveryFailed, Failure, Message
from notifiers.channels.command_config import CommandConfig
from notifiers.channels.payload import payload

DEFAULT_TIMEOUT = 10.0
TRY_AGAIN = 75
"""`EX_TEMPFAIL` of sysexits.h."""
_PATH = "/usr/local/bin:/usr/bin:/bin"


class Command:
    """Runs a program for each message, without a shell, in a process group of its own.

    It gets the webhook's JSON with `id`, `attempt` and `why` on its standard input, and an
    environment of four variables. Its output is thrown away: it could hold secrets, or no end.
    """

    def __init__(self, config: CommandConfig) -> None:
        self._command = config.command
        self._timeout = config.timeout / 1_000 or DEFAULT_TIMEOUT

    def send(self, message: Message) -> None:
        """Run it; 0 means that the message was taken, 75 that it is to be tried again."""
        delivery = message.delivery
        line = {"id": delivery.id, "attempt": delivery.attempt, "why": delivery.why}
        text = json.dumps(line | payload(delivery), ensure_ascii=False, allow_nan=False)
        seconds = min(self._timeout, message.timeout)
        code = self._run(text.encode(), _environment(message), seconds)
        if code == 0:
            return
        if code < 0:
            detail = f"ended by signal {-code}"
            raise DeliveryFailed(Failure.BROKEN_CHANNEL, retry=True, detail=detail)
        if code == TRY_AGAIN:
            raise DeliveryFailed(Failure.SERVER_ERROR, retry=True, detail=f"exit code {code}")
        raise DeliveryFailed(Failure.REJECTED, retry=False, detail=f"exit code {code}")

    def close(self) -> None:
        """There is nothing to let go of: a program runs only while a message is sent."""

    def _run(self, content: bytes, environment: dict[str, str], seconds: float) -> int:
        """Its exit code, negative for the signal that ended it."""
        try:
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment,
                start_new_session=True,
            )
        except OSError as fault:
            why = os.strerror(fault.errno) if fault.errno else "not started"
            detail = f"the program cannot be run: {why}"
            raise DeliveryFailed(Failure.MISCONFIGURED, retry=True, detail=detail) from None
        with process:
            try:
                process.communicate(content, timeout=seconds)
            except subprocess.TimeoutExpired:
                # It was not waited for yet, so that the group's number is still its own.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                detail = f"not done within {seconds:g} s"
                raise DeliveryFailed(Failure.TIMED_OUT, retry=True, detail=detail) from None
        return process.returncode


def _environment(message: Message) -> dict[str, str]:
    return {
        "PATH": _PATH,
        "LC_ALL": "C.UTF-8",
        "TOCSIN_DELIVERY": message.delivery.id,
        "TOCSIN_ATTEMPT": str(message.delivery.attempt),
    }
