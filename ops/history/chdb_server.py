"""ClickHouse's engine as a child process: `python -m ops.history.chdb_server`.

It ends with its parent.

Exit codes: 0 told to stop; 1 could not listen or read its token; 2 the directory is in use; 3 the
engine cannot open the directory.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from ops.history.chdb_engine import Engine
    from ops.history.chdb_http import HistoryHttp

_GRACE_SECONDS = 3.0
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """The belt to the pipe's braces: the kernel's own word when the parent is killed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _say(line: str) -> None:
    """Tell the parent; if it is gone already, nobody listens."""
    with contextlib.suppress(OSError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _end(code: int, message: str) -> NoReturn:
    _say(f"history: {message}")
    os._exit(code)  # the engine's own threads do not stop for sys.exit


def _locked(path: Path) -> int:
    """Hold the directory for as long as this process lives."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = os.open(path / "tocsin.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        _end(3, f"{path} cannot be used as a data directory: {error}")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        _end(2, f"{path} is in use by another process")
    return held


def _token(path: Path) -> str:
    try:
        token = path.read_text().strip()
    except OSError as error:
        _end(1, f"no token: {error}")
    if not token:
        _end(1, f"no token: {path} is empty")
    return token


def _port_to_try(wanted: int, port_file: Path) -> int:
    """The port asked for; for 0 the one of the last run, so that clients find us again."""
    if wanted:
        return wanted
    with contextlib.suppress(OSError, ValueError):
        return int(port_file.read_text())
    return 0


def _watch_parent(ended: SimpleQueue[None]) -> None:
    """The parent holds our standard input; when it ends in any way, this read ends."""
    with contextlib.suppress(OSError, ValueError):
        while os.read(0, 4096):
            pass
    ended.put(None)


def _listen(port: int, port_file: Path, token_file: Path, path: Path) -> "HistoryHttp":
    from ops.history.chdb_http import HistoryHttp
    from ops.history.chdb_requests import Tokens

    analyst = token_file.with_name("analyst.token")
    tokens = Tokens(_token(token_file), _token(analyst) if analyst.exists() else None)
    engine = _opened(path)
    try:
        try:
            server = HistoryHttp(("127.0.0.1", _port_to_try(port, port_file)), engine, tokens)
        except OSError:
            if port:
                raise
            server = HistoryHttp(("127.0.0.1", 0), engine, tokens)
        waiting = port_file.with_suffix(".new")
        waiting.write_text(f"{server.server_address[1]}\n")
        waiting.replace(port_file)
    except OSError as error:
        _end(1, f"cannot listen: {error}")
    return server


def _opened(path: Path) -> "Engine":
    from ops.history.chdb_engine import Engine

    try:
        return Engine(str(path))
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        if "Cannot lock file" in str(error):
            _end(2, f"{path} is in use by another process: {first}")
        _end(3, f"the engine cannot open {path}: {first}")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Serve until the parent ends or says so."""
    parser = argparse.ArgumentParser(prog="python -m ops.history.chdb_server")
    parser.add_argument("--path", type=Path, required=True, help="the engine's directory")
    parser.add_argument("--port", type=int, default=0, help="0: the last run's, or a free one")
    parser.add_argument("--token-file", type=Path, required=True)
    asked = parser.parse_args(arguments)
    os.environ["TZ"] = "UTC"
    # Not an Event: its lock is not reentrant, and a parent that is killed both closes the pipe and
    # has the kernel send SIGTERM, whose handler then waited for the lock that it had interrupted.
    ended: SimpleQueue[None] = SimpleQueue()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends us
    signal.signal(signal.SIGTERM, lambda *_: ended.put(None))
    _die_with_parent()
    threading.Thread(target=_watch_parent, args=(ended,), daemon=True).start()
    path = asked.path.absolute()
    _locked(path)
    server = _listen(asked.port, asked.token_file.with_name("port"), asked.token_file, path)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    _say(f"Listening on address=127.0.0.1:{server.server_address[1]}")
    ended.get()
    _finish(server)


def _finish(server: "HistoryHttp") -> NoReturn:
    """Stop listening, let running statements end for a moment, and go whatever happens."""
    alarm = threading.Timer(_GRACE_SECONDS, os._exit, (0,))
    alarm.daemon = True
    alarm.start()
    server.shutdown()
    server.server_close()
    server.drained()
    server.engine.close()
    os._exit(0)


if __name__ == "__main__":
    main()
