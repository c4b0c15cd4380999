"""Name to addresses, within a deadline: getaddrinfo itself knows none."""

import queue
import socket
import threading


def addresses(host: str, port: int, timeout: float) -> list[str]:
    """Where to connect, in the order in which to try.

    Raises OSError as getaddrinfo does, and TimeoutError. A question that is not answered in time
    keeps its thread until the system's resolver gives up; nobody waits for it.
    """
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(str(each[4][0]) for each in found)))
        except (OSError, ValueError) as fault:  # ValueError: no name that DNS could know
            answers.put(fault)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, timeout))
    except queue.Empty:
        raise TimeoutError(f"no address for {host}") from None
    if isinstance(answer, Exception):
        raise answer
    return answer
