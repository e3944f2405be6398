"""How soon `tail` in one process shows an entry that another process adds: on a file, and on a server.

The time runs from before XADD is called to the end of the entry's line,
rendering and pipe included.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO

from benchmarks.measure import Row, bounded, milliseconds
from benchmarks.remote import programs, running
from benchmarks.startup import environment
from streamcli.backend import Backend
from streamcli.backend.address import Address
from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import connect

_MOST_MS = 20
_XADD = (b"XADD", b"a", b"*", b"city", b"Oslo", b"temp", b"31", b"note", b"as long as notes are")


def rows(entries: int) -> Iterator[Row]:
    """The worst of so many `entries` that come one at a time."""
    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder:
        path = os.path.join(folder, "tail.db")
        yield _row("a file", entries, Embedded(path), ["--db", path])
    server = programs()
    if server is None:
        return
    with running(server[0]) as port:
        at = ["-h", "127.0.0.1", "-p", str(port)]
        yield _row("a server", entries, connect(Address(host="127.0.0.1", port=port)), at)


def _row(where: str, entries: int, writer: Backend, at: list[str]) -> Row:
    writer.execute(_XADD)
    command = [sys.executable, "-m", "streamcli", *at, "tail", "a", "--json"]
    tail = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE)
    try:
        assert tail.stdout is not None
        tail.stdout.readline()
        taken = sorted([_one(writer, tail.stdout) for _ in range(entries)])
    finally:
        tail.terminate()
        tail.wait(10)
        writer.close()
    shown = f"{milliseconds(taken[-1])} (median {milliseconds(taken[entries // 2])})"
    return bounded(f"tail of {where}: an entry is shown, worst of {entries}", taken[-1] * 1e3, shown, _MOST_MS, "ms")


def _one(writer: Backend, lines: IO[bytes]) -> float:
    """Seconds from the XADD to the line."""
    time.sleep(random.uniform(0.005, 0.03))  # anywhere between two looks of the reader
    start = time.perf_counter()
    writer.execute(_XADD)
    lines.readline()
    return time.perf_counter() - start
