"""On a server: whole processes against redis-cli's, and a PING against iredis's.

The server is Redis 8.0 of `tests/servers.py`, or whatever redis-server is
installed, started on a port of its own and filled here; redis-cli is the one
beside it. What is measured, and the bars, are told in README.md.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from benchmarks.measure import Row, bounded, medians, milliseconds
from benchmarks.startup import environment, own_script, script
from streamcli.resp import Reader, encode_command
from tests.servers import HERE, command

_HOST = "127.0.0.1"
_KEY = b"big"
_FIELDS, _VALUE_BYTES = 5, 20
_ADDED_AT_ONCE = 1000
_MEMORY_MOST, _FIRST_MOST, _PING_MOST = 180, 0.3, 130
_LINES, _ADDING_LEAST = 100_000, 3.0
_READ_BYTES = 1 << 20
# Our format, redis-cli's flag for what it is compared with, and how many times as long it may take.
_FORMATS = (("raw", "--raw", 4.0), ("classic", "--no-raw", 2.0), ("json", "--json", 2.0), ("tree", "--no-raw", 2.0))


class Cost(NamedTuple):
    """What a process took: seconds in all and to its first byte, and megabytes of memory at its peak."""

    seconds: float
    first: float
    memory: float


def rows(rounds: int, entries: int) -> Iterator[Row]:
    """Every figure, on a stream of `entries`; none without a server."""
    found = programs()
    if found is None:
        sys.stderr.write("no redis-server and redis-cli: python tests/servers.py install\n")
        return
    server, cli = found
    with running(server) as port:
        _fill(port, entries)
        at = ["-h", _HOST, "-p", str(port)]
        yield from _ranges([*own_script(), *at], [*cli, *at], rounds, entries)
        yield _adding([*own_script(), *at], [*cli, *at], max(3, rounds // 2))
        yield from _ping(at, rounds * 3)


# -- the server ---------------------------------------------------------------------------


def programs() -> tuple[list[str], list[str]] | None:
    """The words that start a server and redis-cli."""
    if (HERE / "root/usr/bin/redis-server").exists():
        return command(HERE, "redis"), command(HERE, "redis-cli")
    server, cli = shutil.which("redis-server"), shutil.which("redis-cli")
    return ([server], [cli]) if server and cli else None


@contextmanager
def running(server: Sequence[str]) -> Iterator[int]:
    """A server with nothing in it, on a free port of this machine alone."""
    with socket.socket() as free:
        free.bind((_HOST, 0))
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder:
        options = ["--bind", _HOST, "--port", str(port), "--save", "", "--appendonly", "no", "--dir", folder]
        process = subprocess.Popen([*server, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await(port)
            yield port
        finally:
            process.kill()
            process.wait()


def _await(port: int) -> None:
    for _ in range(500):
        try:
            socket.create_connection((_HOST, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("the server does not start")


def _fill(port: int, entries: int) -> None:
    """Entries of five fields, values of twenty bytes."""
    reader = Reader()
    with socket.create_connection((_HOST, port)) as connection:
        for start in range(0, entries, _ADDED_AT_ONCE):
            count = min(_ADDED_AT_ONCE, entries - start)
            connection.sendall(b"".join([_one_more(start + number) for number in range(count)]))
            while count:
                reader.feed(connection.recv(_READ_BYTES))
                count -= sum(1 for _ in reader)


def _one_more(number: int) -> bytes:
    words = [b"XADD", _KEY, b"%d-0" % (1_526_984_818_136 + number)]
    for field in range(_FIELDS):
        words += (b"field-%d" % field, b"%0*d" % (_VALUE_BYTES, random.randrange(10**_VALUE_BYTES)))
    return encode_command(words)


# -- a long reply -------------------------------------------------------------------------


def _ranges(ours: list[str], cli: list[str], rounds: int, entries: int) -> Iterator[Row]:
    """XRANGE of everything: in each format, and the greatest memory and the latest first byte of all of them."""
    words = ["XRANGE", _KEY.decode(), "-", "+"]
    costs: list[list[Cost]] = []
    for format, flag, most in _FORMATS:
        mine, theirs = [*ours, "--format", format, *words], [*cli, flag, *words]
        pairs = [(_spent(mine), _spent(theirs)) for _ in range(rounds + 1)][1:]
        own, peer = _median([one for one, _ in pairs]), _median([other for _, other in pairs])
        costs.append([own, peer])
        ratio = own.seconds / peer.seconds
        yield Row(
            f"XRANGE of {entries:,} entries, {format} against redis-cli {flag}",
            milliseconds(own.seconds), milliseconds(peer.seconds), f"{ratio:.2f}x", f"≤ {most:g}x", ratio <= most,
        )  # fmt: skip
    memory, peers = (max(pair[side].memory for pair in costs) for side in (0, 1))
    yield Row(
        "The most memory of these", f"{memory:.0f} MB", f"{peers:.0f} MB", f"{memory / peers:.2f}x",
        f"≤ {_MEMORY_MOST} MB", memory <= _MEMORY_MOST,
    )  # fmt: skip
    first, peers = (max(pair[side].first for pair in costs) for side in (0, 1))
    yield Row(
        "The latest first byte of these", milliseconds(first), milliseconds(peers), f"{first / peers:.2f}x",
        f"≤ {_FIRST_MOST:g} s", first <= _FIRST_MOST,
    )  # fmt: skip


def _spent(words: Sequence[str]) -> Cost:
    """What a process costs whose output is read to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(words, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout is not None
    output = process.stdout.fileno()
    os.read(output, 1)
    first = time.perf_counter() - start
    while os.read(output, _READ_BYTES):
        pass
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{words!r} ended with {process.returncode}")
    return Cost(seconds, first, usage.ru_maxrss / 1024)


def _median(costs: Sequence[Cost]) -> Cost:
    seconds, first, memory = zip(*costs, strict=True)
    return Cost(statistics.median(seconds), statistics.median(first), statistics.median(memory))


# -- many lines ---------------------------------------------------------------------------


def _adding(ours: list[str], cli: list[str], rounds: int) -> Row:
    """Lines on stdin, which empty a stream, add to it, and ask for its length."""
    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder:
        path = os.path.join(folder, "lines")
        with open(path, "w", encoding="utf-8") as file:
            file.write("DEL added\n")
            for _ in range(_LINES):
                file.write(f"XADD added * temperature {random.randrange(100)} humidity {random.randrange(100)}\n")
            file.write("XLEN added\n")
        own, peer = medians(rounds, lambda: _fed(ours, path), lambda: _fed(cli, path))
    ratio = peer / own
    return Row(
        f"{_LINES:,} lines of XADD on stdin, against redis-cli",
        milliseconds(own), milliseconds(peer), f"{ratio:.2f}x", f"≥ {_ADDING_LEAST:g}x", ratio >= _ADDING_LEAST,
    )  # fmt: skip


def _fed(words: Sequence[str], path: str) -> float:
    with open(path, "rb") as file, tempfile.TemporaryFile() as answers:
        start = time.perf_counter()
        subprocess.run(words, env=environment(), stdin=file, stdout=answers, check=True)
        taken = time.perf_counter() - start
        answers.seek(0)
        said = answers.read().split()
    if len(said) != _LINES + 2 or said[-1] != b"%d" % _LINES:
        raise RuntimeError(f"{words!r} did not add all of it")
    return taken


# -- a short one --------------------------------------------------------------------------


def _ping(at: list[str], rounds: int) -> Iterator[Row]:
    """A one-shot PING, beside that of iredis where there is one, in this environment or on the PATH."""
    iredis = script("iredis") or shutil.which("iredis")
    commands = [[*own_script(), *at, "PING"], *([[iredis, *at, "PING"]] if iredis else [])]
    ours, *others = medians(rounds, *[lambda words=words: _started(words) for words in commands])
    yield bounded("Start: streamcli -h -p PING", ours * 1000, milliseconds(ours), _PING_MOST, "ms")
    for seconds in others:
        yield Row(
            "Start: the same against iredis", milliseconds(ours), milliseconds(seconds), f"{seconds / ours:.2f}x", "",
            None,
        )  # fmt: skip


def _started(words: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(words, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start
