"""`tocsin agent` on another machine: the server goes and comes back, and nothing is missing."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from schemas.labels import series_id
from schemas.metrics import MetricBatch
from schemas.series import unpack_series
from schemas.topics import METRICS
from tests.support.history_rows import Rows
from tests.support.log_file import LogFile
from tests.support.tocsin_process import Command, Tocsin
from tests.support.waiting import eventually

ONLY = ("detector", "router", "courier", "historian", "console")
HOST = "edge"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Tocsin]:
    with Tocsin(tmp_path / "server", only=ONLY) as tocsin:
        yield tocsin.start().ready()


@pytest.fixture
def agent(server: Tocsin, tmp_path: Path) -> Iterator[Command]:
    home = tmp_path / "edge"
    home.mkdir()
    settings = {"data": "data", "agent": {"instance": HOST, "interval": "200ms"}}
    (home / "tocsin.yaml").write_text(json.dumps(settings))
    arguments = ("--server", server.url, "--token-file", str(server.token_file))
    with Command(home, "agent", *arguments, "--config", "tocsin.yaml", name="agent") as command:
        yield command


class Seen:
    """What the server's log holds of the agent: sequences by epoch, and every sample."""

    def __init__(self, server: Tocsin) -> None:
        self.sequences: dict[int, list[int]] = {}
        self.samples: dict[tuple[int, int], float] = {}
        self.sends: dict[tuple[int, int], int] = {}
        self.delays: list[int] = []
        for record, envelope in LogFile(server.data).envelopes(METRICS):
            batch, producer = envelope.event, envelope.producer
            if not isinstance(batch, MetricBatch) or producer.name != HOST:
                continue
            self.sequences.setdefault(producer.epoch, []).append(producer.sequence)
            [at] = np.frombuffer(batch.times, "<i8").tolist()
            self.delays.append(record.appended_at - at)
            values = np.frombuffer(batch.values, "<f8").tolist()
            for labels, value in zip(unpack_series(batch.series), values, strict=True):
                key = (series_id(labels), at)
                self.samples[key] = value
                self.sends[key] = self.sends.get(key, 0) + 1

    @property
    def count(self) -> int:
        return sum(map(len, self.sequences.values()))


def _spooled(agent: Command) -> int:
    files = (agent.home / "data" / "agent-spool").rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def _in_history(server: Tocsin, seen: Seen) -> None:
    with Rows(server.data) as rows:
        rows.caught_up()
        stored = rows.ask(
            "SELECT series, toUnixTimestamp64Milli(time), value FROM samples FINAL"
            " WHERE series IN (SELECT id FROM series WHERE labels['instance'] = {host:String})",
            host=HOST,
        )
        raw = rows.ask(
            "SELECT series, toUnixTimestamp64Milli(time), count() FROM samples"
            " WHERE series IN (SELECT id FROM series WHERE labels['instance'] = {host:String})"
            " GROUP BY series, time",
            host=HOST,
        )
    assert len(stored) == len({(series, at) for series, at, _ in stored})
    found = {(series, at): value for series, at, value in stored}
    missing = seen.samples.keys() - found.keys()
    assert not missing, f"{len(missing)} of {len(seen.samples)} samples are not in history"
    wrong = [k for k, v in seen.samples.items() if found[k] != v and not np.isnan(v)]
    assert not wrong, f"{len(wrong)} samples have another value"
    doubled = [k for *k, n in raw if n > seen.sends.get(tuple(k), n)]
    assert not doubled, f"{len(doubled)} samples are stored more often than they were sent"


def test_a_server_that_was_away_gets_everything_in_order_under_its_own_times(
    server: Tocsin, agent: Command
) -> None:
    agent.begin()
    eventually(lambda: Seen(server).count > 5, what=agent.tail)
    server.kill()
    before = Seen(server).count
    empty = _spooled(agent)
    eventually(lambda: _spooled(agent) > empty, what=agent.tail)
    spooled = _spooled(agent)
    eventually(lambda: _spooled(agent) > spooled + 5_000, what=agent.tail)
    server.start().ready()
    eventually(lambda: Seen(server).count > before + 10, what=agent.tail)
    eventually(lambda: Seen(server).delays[-1] < 2_000, what=agent.tail)
    assert agent.stop() == 0, agent.tail()

    seen = Seen(server)
    [sequences] = seen.sequences.values()
    first_seen = list(dict.fromkeys(sequences))
    assert first_seen == sorted(first_seen), "the spool drains in order"
    assert set(first_seen) == set(range(1, max(first_seen) + 1))
    assert max(seen.delays) > 400, "what was read in the meantime keeps its own time"
    _in_history(server, seen)


def test_what_an_agent_spooled_survives_its_own_kill(server: Tocsin, agent: Command) -> None:
    agent.begin()
    eventually(lambda: Seen(server).count > 5, what=agent.tail)
    server.kill()
    empty = _spooled(agent)
    eventually(lambda: _spooled(agent) > empty + 5_000, what=agent.tail)
    agent.kill()
    agent.begin()
    server.start().ready()
    eventually(lambda: len(Seen(server).sequences) == 2, what=agent.tail)
    eventually(lambda: Seen(server).delays[-1] < 2_000, what=agent.tail)
    agent.signal(signal.SIGINT)
    assert agent.ended() == 0

    seen = Seen(server)
    first, second = (seen.sequences[epoch] for epoch in sorted(seen.sequences))
    for sequences in (first, second):
        assert set(sequences) == set(range(1, max(sequences) + 1))
    assert max(seen.delays) > 400
    _in_history(server, seen)
