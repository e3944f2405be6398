"""Moving a stream by whole processes: `streamcli export` and `import`, on a file and on a server.

The peer of an import into a server is `redis-cli --pipe`, which is given the
commands ready in RESP. What is measured, and the bars, are told in README.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.measure import Row, bounded
from benchmarks.remote import programs, running
from benchmarks.startup import environment, own_script
from streamcli.backend.embedded import Embedded
from streamcli.resp import encode_command

_FIELDS = (b"sensor", b"0123456789", b"pressure", b"1013.25000", b"measured", b"2024-05-17")
_FIRST_MS = 1_700_000_000_000
_EXPORT_LEAST, _IMPORT_LEAST, _OF_REDIS_CLI = 100_000, 50_000, 1 / 3
_MEMORY_MOST = 1.15  # times that of a tenth of the entries
_KEY = "a"


def rows(rounds: int, entries: int) -> Iterator[Row]:
    """Every figure, on a stream of `entries` entries of three fields."""
    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder:
        here = Path(folder)
        big, small = here / "big.db", here / "small.db"
        _fill(big, entries)
        _fill(small, entries // 10)
        lines = here / "a.jsonl"
        yield from _export(big, small, lines, rounds, entries)
        yield from _import(here, lines, small, rounds, entries)
        found = programs()
        if found is None:
            sys.stderr.write("no redis-server and redis-cli: python tests/servers.py install\n")
            return
        server, cli = found
        with running(server) as port:
            yield _into_a_server(port, cli, lines, here, rounds, entries)


def _fill(file: Path, entries: int) -> None:
    backend = Embedded(str(file))
    for _ in backend.pipelined(_adds(entries), window=10_000):
        pass
    backend.close()


def _adds(entries: int) -> Iterator[Sequence[bytes]]:
    return ((b"XADD", _KEY.encode(), b"%d-0" % (_FIRST_MS + at), *_FIELDS) for at in range(entries))


def _run(*words: str) -> tuple[float, float]:
    """Seconds, and megabytes at the peak, of a process that succeeds."""
    start = time.perf_counter()
    child = subprocess.Popen([*own_script(), *words], stdout=subprocess.DEVNULL, env=environment())
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{words}: exit code {child.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def _rate(operation: str, entries: int, seconds: float, least: float) -> Row:
    rate = entries / seconds
    return Row(operation, f"{rate:,.0f}/s", "", "", f"≥ {least:,.0f}/s", rate >= least)


def _export(big: Path, small: Path, lines: Path, rounds: int, entries: int) -> Iterator[Row]:
    few = min(_run("--db", str(small), "export", _KEY, "-o", str(lines)) for _ in range(rounds))
    runs = [_run("--db", str(big), "export", _KEY, "-o", str(lines)) for _ in range(rounds)]
    yield _rate(f"export of {entries:,} entries from a file", entries, min(runs)[0], _EXPORT_LEAST)
    packed = [_run("--db", str(big), "export", _KEY, "-o", f"{lines}.gz") for _ in range(rounds)]
    yield _rate("the same, compressed", entries, min(packed)[0], _EXPORT_LEAST)
    memory = max(run[1] for run in (*runs, *packed))
    yield bounded("its memory, against a tenth of the entries", memory / few[1], f"{memory:.0f} MB", _MEMORY_MOST, "x")


def _import(here: Path, lines: Path, small: Path, rounds: int, entries: int) -> Iterator[Row]:
    runs = []
    for at in range(rounds):
        target = here / f"into-{at}.db"
        runs.append(_run("--db", str(target), "import", str(lines)))
        for one in here.glob(f"{target.name}*"):
            one.unlink()
    yield _rate(f"import of {entries:,} entries into a file", entries, min(runs)[0], _IMPORT_LEAST)
    few = here / "few.jsonl"
    _run("--db", str(small), "export", _KEY, "-o", str(few))
    memory = max(run[1] for run in runs)
    least = _run("--db", str(here / "few.db"), "import", str(few))[1]
    yield bounded("its memory, against a tenth of the entries", memory / least, f"{memory:.0f} MB", _MEMORY_MOST, "x")


def _into_a_server(port: int, cli: Sequence[str], lines: Path, here: Path, rounds: int, entries: int) -> Row:
    """In turns, the best round of each: how much of redis-cli's rate is ours."""
    at = ["-h", "127.0.0.1", "-p", str(port)]
    ready = here / "a.resp"
    with ready.open("wb") as file:
        for argv in _adds(entries):
            file.write(encode_command(argv))
    ours, theirs = [], []
    for _ in range(rounds):
        subprocess.run([*cli, *at, "FLUSHALL"], check=True, stdout=subprocess.DEVNULL)
        ours.append(_run(*at, "import", str(lines))[0])
        subprocess.run([*cli, *at, "FLUSHALL"], check=True, stdout=subprocess.DEVNULL)
        with ready.open("rb") as file:
            start = time.perf_counter()
            subprocess.run([*cli, *at, "--pipe"], check=True, stdin=file, stdout=subprocess.DEVNULL)
            theirs.append(time.perf_counter() - start)
    share = min(theirs) / min(ours)
    return Row(
        f"import of {entries:,} entries into a server, checked first, against redis-cli --pipe",
        f"{entries / min(ours):,.0f}/s", f"{entries / min(theirs):,.0f}/s", f"{share:.2f}x",
        f"≥ {_OF_REDIS_CLI:.2f}x", share >= _OF_REDIS_CLI,
    )  # fmt: skip
