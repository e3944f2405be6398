"""The server beside its peers, each a process of its own, asked by redis-py over a unix socket.

Redis's own server is asked the same where there is one (`make servers`), and
fakeredis' TcpFakeServer, which knows TCP alone.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from benchmarks.measure import Row, bounded, clocked, faster, milliseconds, race
from benchmarks.sides import FIELDS, GROUP, KEY
from benchmarks.startup import environment

_ENTRIES, _RANGE, _READ, _TOGETHER = 5_000, 100, 10, 100
_BLOCKED, _BLOCKED_MS, _BLOCKED_CPU = 500, 100, 2.0
_WRITERS = 200
_FAKE = """
from fakeredis import TcpFakeServer
server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
print("Ready on 127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
"""


class Sizes(NamedTuple):
    """`seconds` is for how long the writers write before the kill."""

    calls: int
    rounds: int
    seconds: float


# Short rounds: those that go on for longer measure where the kernel puts client and server; see README.md.
FULL, QUICK = Sizes(100, 45, 15.0), Sizes(100, 9, 3.0)


class Peer:
    """A server, and a stream in it."""

    def __init__(self, process: subprocess.Popen[str], **where: Any) -> None:
        self.process = process
        self.where = where
        self.client = self.connect()
        self.fields: dict[Any, Any] = dict(zip(FIELDS[::2], FIELDS[1::2], strict=True))

    def connect(self) -> Any:
        return redis.Redis(retry=Retry(NoBackoff(), 0), **self.where)

    def load(self) -> None:
        pipeline = self.client.pipeline(transaction=False)
        for number in range(_ENTRIES):
            pipeline.xadd(KEY, self.fields, id=f"{number + 1}-0")
        pipeline.execute()
        self.client.xgroup_create(KEY, GROUP, "0")

    def add(self) -> None:
        self.client.xadd("added", self.fields)

    def add_together(self) -> None:
        pipeline = self.client.pipeline(transaction=False)
        for _ in range(_TOGETHER):
            pipeline.xadd("added", self.fields)
        pipeline.execute()

    def range(self) -> None:
        self.client.xrange(KEY, f"{random.randrange(1, _ENTRIES - _RANGE)}", "+", count=_RANGE)

    def read_and_acknowledge(self) -> None:
        reply = self.client.xreadgroup(GROUP, "alice", {KEY: ">"}, count=_READ)
        self.client.xack(KEY, GROUP, *[entry[0] for entry in reply[0][1]])

    def side(self, call: Callable[[], None], calls: int) -> Callable[[], float]:
        """A round; what has piled up goes before it, outside the clock."""

        def round_() -> float:
            self.client.delete("added")
            if call == self.read_and_acknowledge:
                self.client.xgroup_setid(KEY, GROUP, "0")
            return clocked(calls, call)

        return round_

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def rows(sizes: Sizes) -> Iterator[Row]:
    """Rates against the peers, then many clients."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="streamcli-bench-"))
        real = _real(folder)
        memory, file = _ours(folder, "memory", "--memory"), _ours(folder, "file", "--db", f"{folder}/rates.db")
        for peer in (memory, file, real):
            if peer is not None:
                stack.callback(peer.close)
                peer.load()
        fake = _fake()
        stack.callback(fake.close)
        for ours, name in ((memory, "memory"), (file, "file")):
            best = race(sizes.rounds, ours.side(ours.add, sizes.calls), fake.side(fake.add, sizes.calls))
            yield faster(f"Served XADD, one at a time, against TcpFakeServer, {name}", best[0], best[1], 3)
            best = race(sizes.rounds, ours.side(ours.add_together, 5), fake.side(fake.add_together, 2))
            each = [seconds / _TOGETHER for seconds in best]
            yield faster(f"Served XADD, {_TOGETHER} in a pipeline, against TcpFakeServer, {name}", each[0], each[1], 3)
        if real is not None:
            yield from _against_redis(memory, file, real, sizes)
    for name in ("memory", "file"):
        yield from _blocked(name)
    for name in ("memory", "file"):
        yield _writers(name, sizes.seconds)


def _against_redis(memory: Peer, file: Peer, real: Peer, sizes: Sizes) -> Iterator[Row]:
    for what, calls in (("add", sizes.calls), ("range", sizes.calls // 5), ("read_and_acknowledge", sizes.calls // 2)):
        title = {"add": "XADD", "range": f"XRANGE COUNT {_RANGE}"}.get(what, f"XREADGROUP COUNT {_READ} and XACK")
        best = race(sizes.rounds, *(one.side(getattr(one, what), calls) for one in (memory, file, real)))
        for at, name in enumerate(("memory", "file")):
            yield faster(f"Served {title} against Redis, {name}", best[at], best[2], 0.4)


# -- servers -----------------------------------------------------------------------------------


def _start(words: list[str]) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"it did not start: {' '.join(words)}")
    return process, line


def _ours(folder: str, name: str, *flags: str) -> Peer:
    path = f"{folder}/{name}.sock"
    process, _ = _start([sys.executable, "-m", "streamcli", "serve", "--unixsocket", path, *flags])
    return Peer(process, unix_socket_path=path)


def _fake() -> Peer:
    process, line = _start([sys.executable, "-c", _FAKE])
    return Peer(process, host="127.0.0.1", port=int(line.rpartition(":")[2]))


def _real(folder: str) -> Peer | None:
    """Redis's own server, if `make servers` has brought it."""
    from tests.conformance.live import launcher

    words = launcher()
    if words is None:
        return None
    path = f"{folder}/redis.sock"
    options = f"--port 0 --unixsocket {path} --dir {folder} --appendonly no --save".split()
    process = subprocess.Popen([*words, *options, ""], stdout=subprocess.DEVNULL, text=True)
    while not os.path.exists(path):
        time.sleep(0.01)
    return Peer(process, unix_socket_path=path)


# -- many clients --------------------------------------------------------------------------------


def _blocked(name: str) -> Iterator[Row]:
    """Readers of one stream that all wait: how soon the last one has its entry, and what they cost until then."""
    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder:
        flags = ["--memory"] if name == "memory" else ["--db", f"{folder}/blocked.db"]
        peer = _ours(folder, name, *flags)
        try:
            readers = [peer.connect().connection_pool.get_connection() for _ in range(_BLOCKED)]
            for reader in readers:
                reader.send_command("XREAD", "BLOCK", "0", "STREAMS", "waited", "$")
            while peer.client.info("clients")["blocked_clients"] != _BLOCKED:
                time.sleep(0.01)
            before, began = _cpu(peer.process.pid), time.perf_counter()
            time.sleep(2)
            cpu = 100 * (_cpu(peer.process.pid) - before) / (time.perf_counter() - began)
            waiting = {reader._sock.fileno(): reader._sock for reader in readers}
            poll = select.poll()
            for number in waiting:
                poll.register(number, select.POLLIN)
            start = time.perf_counter()
            peer.client.xadd("waited", {"f": "v"})
            while waiting:
                for number, _ in poll.poll(10_000):
                    waiting.pop(number).recv(65536)
                    poll.unregister(number)
            taken = time.perf_counter() - start
        finally:
            peer.close()
    title = f"{_BLOCKED} clients blocked on one stream"
    yield bounded(f"{title}, from XADD to the last reply, {name}", taken * 1e3, milliseconds(taken), _BLOCKED_MS, "ms")
    yield bounded(f"{title}: the server's CPU while they wait, {name}", cpu, f"{cpu:.1f} %", _BLOCKED_CPU, "%")


def _cpu(process: int) -> float:
    """Seconds of CPU that a process has used; 0 where nobody tells."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _writers(name: str, seconds: float) -> Row:
    """Many clients write until the server is killed; in the file, everything that was acknowledged must be there."""
    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder:
        path = f"{folder}/writers.db"
        peer = _ours(folder, name, *(["--memory"] if name == "memory" else ["--db", path]))
        acknowledged: list[list[bytes]] = [[] for _ in range(_WRITERS)]
        threads = [threading.Thread(target=_write, args=(peer, who, acknowledged[who])) for who in range(_WRITERS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        count = sum(map(len, acknowledged))
        peer.process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
        peer.close()
        title = f"{_WRITERS} clients write for {seconds:g} s, {name}"
        rate = f"{count / seconds:,.0f}/s"
        if name == "memory":
            return Row(title, rate, "", "", "", None)
        ok = _all_there(folder, path, acknowledged)
        return Row(f"{title}, then kill -9: what was acknowledged is there", rate, "", "", "all, in order", ok)


def _write(peer: Peer, who: int, acknowledged: list[bytes]) -> None:
    client = peer.connect()
    with contextlib.suppress(redis.ConnectionError, OSError):
        acknowledged.extend(client.xadd("written", {"who": who, "n": number}) for number in range(10**9))


def _all_there(folder: str, path: str, acknowledged: list[list[bytes]]) -> bool:
    peer = _ours(folder, "again", "--db", path)
    try:
        there: dict[bytes, tuple[int, int]] = {}
        after = "-"
        while entries := peer.client.xrange("written", after, "+", count=10_000):
            there |= {id: (int(fields[b"who"]), int(fields[b"n"])) for id, fields in entries}
            after = "(" + entries[-1][0].decode()
    finally:
        peer.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        sound = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    mine = all(there.get(id) == (who, n) for who, ids in enumerate(acknowledged) for n, id in enumerate(ids))
    numbers: dict[int, list[int]] = {}
    for who, n in there.values():
        numbers.setdefault(who, []).append(n)
    return sound and mine and all(given == list(range(len(given))) for given in numbers.values())
