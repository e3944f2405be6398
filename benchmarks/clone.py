"""`clone` of a large stream, with what is pending, into a server and back into a file; and whether all of it came.

The server is the one of `remote`. What is measured, and the bars, are told in README.md.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from benchmarks.measure import Row
from benchmarks.remote import _HOST, programs, running
from benchmarks.startup import environment, own_script
from streamcli.backend.embedded import Embedded

_STREAM: Final = "big"
_AT_ONCE: Final = 5000
_CONSUMERS: Final = 10
_NOT_CARRIED: Final = {  # each with its value: what no command can set, and what Redis 8.0 does not tell
    b"radix-tree-keys\n", b"radix-tree-nodes\n", b"seen-time\n", b"active-time\n", b"nacked-count\n",
    b"idmp-duration\n", b"idmp-maxsize\n", b"pids-tracked\n", b"iids-tracked\n", b"iids-added\n", b"iids-duplicates\n",
}  # fmt: skip


class Size(NamedTuple):
    """How much of everything."""

    entries: int
    pending: int


FULL = Size(entries=1_000_000, pending=100_000)
QUICK = Size(entries=50_000, pending=5_000)


def rows(size: Size) -> Iterator[Row]:
    """Every figure; none without a server."""
    found = programs()
    if found is None:
        sys.stderr.write("no redis-server and redis-cli: python tests/servers.py install\n")
        return
    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder, running(found[0]) as port:
        first, second = (os.path.join(folder, name) for name in ("first.db", "second.db"))
        _fill(first, size)
        there = ["-h", _HOST, "-p", str(port)]
        what = f"{size.entries:,} entries, {size.pending:,} of them pending"
        into = _cloned(first, f"{_HOST}:{port}")
        back = _cloned(f"{_HOST}:{port}", second)
        yield Row(f"Clone of {what}, file to server, compared", f"{into:.1f} s", "", "", "", None)
        yield Row(f"Clone of {what}, server to file, compared", f"{back:.1f} s", "", "", "", None)
        sides = [_digest(at) for at in (["--db", first], there, ["--db", second])]
        same = len(set(sides)) == 1
        yield Row("XINFO STREAM FULL COUNT 0 of these three", "equal" if same else "different", "", "", "equal", same)


def _fill(file: str, size: Size) -> None:
    """Entries of 3 fields, the first of them pending, of which some are gone."""
    backend = Embedded(file)
    try:
        for at in range(0, size.entries, _AT_ONCE):
            for _ in backend.pipelined(
                [b"XADD", b"big", b"%d-1" % (1_700_000_000_000 + number), b"city", b"Oslo", b"temp", b"%d" % number,
                 b"note", b"a value of some length %d" % number]
                for number in range(at, min(at + _AT_ONCE, size.entries))
            ):  # fmt: skip
                pass
        backend.execute((b"XGROUP", b"CREATE", b"big", b"workers", b"0"))
        for number in range(_CONSUMERS):
            count = b"%d" % (size.pending // _CONSUMERS)
            name = b"worker-%d" % number
            read = (b"XREADGROUP", b"GROUP", b"workers", name, b"COUNT", count, b"STREAMS", b"big", b">")
            backend.execute(read)
        backend.execute((b"XDEL", b"big", *(b"%d-1" % (1_700_000_000_000 + number) for number in range(5, 5000, 50))))
        backend.execute((b"XTRIM", b"big", b"MINID", b"%d" % 1_700_000_000_100))
    finally:
        backend.close()


def _cloned(source: str, target: str) -> float:
    """Seconds it took, as a process."""
    began = time.perf_counter()
    subprocess.run(
        [*own_script(), "clone", source, target, _STREAM], env=environment(), check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def _digest(at: Sequence[str]) -> str:
    """Of all that XINFO STREAM FULL COUNT 0 tells, without what cannot be carried."""
    words = [*own_script(), *at, "--format", "raw", "XINFO", "STREAM", _STREAM, "FULL", "COUNT", "0"]
    digest = hashlib.sha256()
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        for line in lines:
            if line in _NOT_CARRIED:
                next(lines)
            else:
                digest.update(line)
    assert process.returncode == 0
    return digest.hexdigest()
