"""The door to history: clickhouse-connect, the same against our child and against a server."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any  # clickhouse-connect and pyarrow have no types

from ops.history.address import Address
from ops.history.errors import HistoryAway, HistoryError, HistoryRefused

# Numbers of ClickHouse's ErrorCodes.cpp that say "not now": time-outs, memory, disk and part
# limits, shutdown, network, keeper, an insert whose fate is unknown.
_NOT_NOW = frozenset(
    {74, 75, 76, 159, 202, 203, 209, 210, 236, 241, 242, 243, 252, 279, 319, 394, 425, 999}
)
# Of an insert, what speaks of the rows themselves: types, ranges, encodings, constraints. Whatever
# else an insert meets (a table that is not there, a full disk in any wording) may pass: nothing is
# given up for it.
_ROWS = frozenset(
    {6, 26, 27, 33, 36, 38, 41, 42, 43, 53, 62, 69, 70, 72, 117, 128, 130, 131}
    | {321, 349, 407, 469}
)
_INSERT_SETTINGS = {
    "async_insert": 0,  # an answer means stored
    "insert_deduplicate": 0,
    # One insert of up to 2^20 rows is one part: whole or not at all.
    "max_insert_block_size": 1 << 20,
    "min_insert_block_size_rows": 1 << 20,
    "min_insert_block_size_bytes": 0,
    "max_insert_threads": 1,
    "input_format_parallel_parsing": 0,
    "max_execution_time": 120,
}


class History:
    """One client of history, for any number of threads; connects when first asked."""

    def __init__(self, address: Address | Callable[[], Address], timeout: float = 180.0) -> None:
        self._address = address if callable(address) else lambda: address
        self._timeout = timeout
        self._lock = threading.Lock()
        self._client: Any = None

    def wait(self, timeout: float) -> None:
        """Return when history answers; HistoryAway when it does not within `timeout` seconds."""
        ends, pause = time.monotonic() + timeout, 0.05
        while True:
            try:
                self.rows("SELECT 1")
                return
            except HistoryAway:
                left = ends - time.monotonic()
                if left <= 0:
                    raise
                time.sleep(min(pause, left))
                pause = min(pause * 2, 1.0)

    def insert(self, table: str, rows: Any, comment: str = "") -> None:
        """Store an Arrow table's rows, whole or not at all; on return they are stored.

        `comment` names the insert in system.processes, so that one that still runs is found.
        """
        settings = _INSERT_SETTINGS | ({"log_comment": comment} if comment else {})
        self._ask(lambda client: client.insert_arrow(table, rows, settings=settings), inserts=True)

    def query_arrow(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Any:
        """The answer as an Arrow table; `{name:Type}` in the SQL takes its value from `params`."""
        return self._ask(
            lambda client: client.query_arrow(
                sql, parameters=dict(params or {}), settings=dict(settings or {})
            )
        )

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        """The answer as rows of Python values."""
        answer = self._ask(lambda client: client.query(sql, parameters=dict(params or {})))
        found: Sequence[Sequence[Any]] = answer.result_rows
        return found

    def command(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        """Run a statement that answers nothing."""
        self._ask(lambda client: client.command(sql, parameters=dict(params or {})))

    def close(self) -> None:
        """Drop the connection; the next call makes a new one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _ask(self, call: Callable[[Any], Any], *, inserts: bool = False) -> Any:
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            return call(self._connected())
        except ClickHouseError as error:
            fault = _translated(error, inserts=inserts)
            if isinstance(fault, HistoryAway):
                self.close()
            raise fault from error
        except OSError as error:
            self.close()
            raise HistoryAway(str(error)) from error

    def _connected(self) -> Any:
        import clickhouse_connect
        from clickhouse_connect.driver.httputil import get_pool_manager

        with self._lock:
            if self._client is None:
                # They warn of each failed try; whoever calls us says that once, in our words.
                for vendor in ("clickhouse_connect", "urllib3.connectionpool"):
                    logging.getLogger(vendor).setLevel(logging.ERROR)
                at = self._address()
                self._client = clickhouse_connect.get_client(
                    host=at.host,
                    port=at.port,
                    username=at.user,
                    password=at.token,
                    database=at.database,
                    secure=at.secure,
                    compress=at.host not in {"127.0.0.1", "localhost", "::1"},
                    connect_timeout=5,
                    send_receive_timeout=int(self._timeout),
                    query_retries=0,
                    autogenerate_session_id=False,
                    pool_mgr=get_pool_manager(maxsize=8),
                )
                self._client.http_retries = 0  # our callers come again; two layers would multiply
            return self._client


def _translated(error: Exception, *, inserts: bool) -> HistoryError:
    """Ours for theirs: without a code nothing was understood, so the call may be repeated."""
    code = getattr(error, "code", None) or 0
    text = str(error).splitlines()[0][:1000]
    again = code not in _ROWS if inserts else code == 0 or code in _NOT_NOW
    return HistoryAway(text, code) if again else HistoryRefused(text, code)
