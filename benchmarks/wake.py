"""How soon a blocked reader in one process hears of an entry that another process adds.

The reader is the real command, fed by a pipe: it answers PING just before it
begins to wait, so the writer knows when to write. The time runs from before
XADD is called to the first byte of XREAD's reply, rendering and pipe included.
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
from benchmarks.startup import environment
from streamcli.engine import Engine

_MOST_MS = 50
_REPLY_LINES = 4  # the key, the ID, a field and its value


def rows(wakes: int) -> Iterator[Row]:
    """The worst of `wakes`."""
    taken = sorted(_measure(wakes))
    shown = f"{milliseconds(taken[-1])} (median {milliseconds(taken[wakes // 2])})"
    yield bounded(f"Wake of XREAD BLOCK in another process, worst of {wakes}", taken[-1] * 1e3, shown, _MOST_MS, "ms")


def _measure(wakes: int) -> list[float]:
    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder:
        path = os.path.join(folder, "wake.db")
        engine = Engine(path)
        command = [sys.executable, "-m", "streamcli", "--db", path, "--format", "raw", "-f", "-"]
        reader = subprocess.Popen(command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert reader.stdin is not None
            assert reader.stdout is not None
            return [_one(engine, reader.stdin, reader.stdout) for _ in range(wakes)]
        finally:
            assert reader.stdin is not None
            reader.stdin.close()
            reader.wait(10)
            engine.close()


def _one(engine: Engine, questions: IO[bytes], answers: IO[bytes]) -> float:
    """Seconds from the XADD to the reply."""
    questions.write(b"PING\nXREAD BLOCK 0 STREAMS a $\n")
    questions.flush()
    if answers.readline() != b"PONG\n":
        raise RuntimeError("the reader did not answer")
    time.sleep(random.uniform(0.005, 0.03))  # anywhere between two looks of the reader
    start = time.perf_counter()
    engine.execute((b"XADD", b"a", b"*", b"field", b"value"), time.time_ns() // 1_000_000)
    answers.readline()
    taken = time.perf_counter() - start
    for _ in range(_REPLY_LINES - 1):
        answers.readline()
    return taken
