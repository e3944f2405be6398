"""What `top` costs, and how fresh its screen is: 10,000 streams, 1,000 groups, and entries that keep coming.

From outside: the CPU of the server and of `top` from /proc, less what the
server works for the writers alone; freshness from an entry's XADD to the length
that the terminal shows. Each with a server, with `streamcli serve`, and with the
engine in `top`'s own process.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import remote
from benchmarks.measure import Row, bounded
from benchmarks.startup import environment
from streamcli.backend import Backend
from streamcli.backend.address import Address
from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import connect

_STREAMS, _GROUPS, _ENTRIES = 10_000, 1_000, 5
_BUSY = 500  # entries a second that other processes add, to a hundred of the streams
_FIRST_SECONDS, _IDLE_SECONDS = 8.0, 4.0
_CPU_MOST, _FRESH_MOST = 5.0, 1000.0  # per cent of a core; ms
_SHOWN = b"a:shown"
_TICKS = os.sysconf("SC_CLK_TCK")
_WRITES = """
import time
from streamcli.backend.address import Address
from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import connect
backend = OPEN
n, began = 0, time.monotonic()
while True:
    list(backend.pipelined([(b"XADD", b"stream:%05d" % (at % 100 * 100), b"*", b"n", b"1") for at in range(n, n + 50)]))
    n += 50
    time.sleep(max(0, began + n / BUSY - time.monotonic()))
"""


class Place(NamedTuple):
    """Where it is measured: `args` for the program, `code` for the writers, the `server` if it is another process."""

    name: str
    args: list[str]
    code: str
    open: Callable[[], Backend]
    server: int | None


def rows(seconds: float) -> Iterator[Row]:
    """The figures of each place."""
    with tempfile.TemporaryDirectory(prefix="streamcli-bench-") as folder:
        file = str(Path(folder) / "top.db")
        yield from _figures(
            Place("engine", ["--db", file], f"Embedded({file!r})", lambda: Embedded(file), None), seconds
        )
        with _serving(folder) as (port, pid):
            yield from _figures(_at("streamcli serve", port, pid), seconds)
    programs = remote.programs()
    if programs is not None:
        with remote.running(programs[0]) as port:
            yield from _figures(_at("Redis", port, None), seconds)


def _at(name: str, port: int, pid: int | None) -> Place:
    args = ["-h", "127.0.0.1", "-p", str(port)]
    if pid is None:
        info = connect(Address("127.0.0.1", port)).execute((b"INFO", b"server"))
        text = info if isinstance(info, bytes) else getattr(info, "data", b"")
        found = re.search(rb"process_id:(\d+)", text)
        pid = int(found[1]) if found else 0
    return Place(name, args, f"connect(Address('127.0.0.1', {port}))", lambda: connect(Address("127.0.0.1", port)), pid)


@contextmanager
def _serving(folder: str) -> Iterator[tuple[int, int]]:
    words = [sys.executable, "-m", "streamcli", "--db", str(Path(folder) / "served.db"), "serve", "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment())
    try:
        assert process.stdout is not None
        port = next(int(found[1]) for line in process.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _figures(place: Place, seconds: float) -> Iterator[Row]:
    backend = place.open()
    _fill(backend)
    code = _WRITES.replace("OPEN", place.code).replace("BUSY", str(_BUSY))
    writer = subprocess.Popen([sys.executable, "-c", code], env=environment())
    top = None
    try:
        time.sleep(1)
        idle = _share(place.server, _IDLE_SECONDS, time.sleep)
        top = _Top(*place.args, "top")
        top.watch(_FIRST_SECONDS)  # everything has been looked at once
        top.press(b"\x1b[15~\x1b[15~")  # F5 and back: the first row again
        theirs, own = _shares((place.server, top.pid), seconds, top.watch)
        top.press(b"/shown\r")
        top.watch(1.5)
        fresh = [_fresh(top, backend) for _ in range(max(5, round(seconds)))]
    finally:
        writer.terminate()
        writer.wait()
        if top is not None:
            top.end()
        backend.close()
    what = f"top on {_STREAMS:,} streams and {_GROUPS:,} groups, {place.name}"
    if place.server is None:
        yield bounded(f"{what}: its own CPU, engine included", own * 100, f"{own:.1%}", _CPU_MOST, "% of a core")
    else:
        cost = max(0.0, theirs - idle)
        yield bounded(f"{what}: the server's CPU", cost * 100, f"{cost:.1%}", _CPU_MOST, "% of a core")
        yield Row(f"{what}: its own CPU", f"{own:.1%}", "", "", "", None)
    shown = f"{max(fresh):.0f} ms (median {statistics.median(fresh):.0f})"
    yield bounded(f"{what}: an XADD is on the screen after, at worst", max(fresh), shown, _FRESH_MOST, "ms")


def _fill(backend: Backend) -> None:
    now, each = time.time_ns() // 1_000_000, _STREAMS // _GROUPS
    names = [b"stream:%05d" % at for at in range(_STREAMS - 1)] + [_SHOWN]
    words = (b"city", b"Oslo", b"n", b"12345")
    for _ in backend.pipelined((b"XADD", name, b"%d-%d" % (now, n), *words) for name in names for n in range(_ENTRIES)):
        pass
    for _ in backend.pipelined((b"XGROUP", b"CREATE", name, b"g", b"0") for name in names[::each]):
        pass


def _fresh(top: _Top, backend: Backend) -> float:
    """Milliseconds from an XADD to the length on the screen."""
    backend.execute((b"XADD", _SHOWN, b"*", b"n", b"1"))
    length = backend.execute((b"XLEN", _SHOWN))
    began = time.monotonic()
    top.until(re.compile(rb"a:shown +%d " % (length if isinstance(length, int) else 0)))
    return (time.monotonic() - began) * 1000


# -- processes --------------------------------------------------------------------------------


def _cpu(pid: int | None) -> float:
    """Seconds that a process has worked, with all its threads."""
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _share(pid: int | None, seconds: float, wait: Callable[[float], object]) -> float:
    return _shares((pid,), seconds, wait)[0]


def _shares(pids: tuple[int | None, ...], seconds: float, wait: Callable[[float], object]) -> list[float]:
    """How much of a core each of them takes meanwhile."""
    before, began = [_cpu(pid) for pid in pids], time.monotonic()
    wait(seconds)
    took = time.monotonic() - began
    return [(_cpu(pid) - first) / took for pid, first in zip(pids, before, strict=True)]


class _Top:
    """`streamcli top` on a terminal of 100 by 40."""

    def __init__(self, *args: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self._process: Any = subprocess.Popen(
            [sys.executable, "-m", "streamcli", "--no-config", *args], stdin=slave, stdout=slave, stderr=slave,
            env={**environment(), "TERM": "xterm-256color", "LANG": "C.UTF-8"}, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.pid: int = self._process.pid

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def watch(self, seconds: float) -> None:
        """Take what it draws for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._master], [], [], left)[0]:
                os.read(self._master, 65536)

    def until(self, shown: re.Pattern[bytes]) -> None:
        """Until it has drawn that."""
        seen, end = b"", time.monotonic() + 20
        while shown.search(seen) is None:
            if not select.select([self._master], [], [], max(0.0, end - time.monotonic()))[0]:
                raise RuntimeError(f"{shown.pattern!r} is not drawn; the last was {seen[-500:]!r}")
            seen = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", seen[-4000:] + os.read(self._master, 65536))

    def end(self) -> None:
        with suppress(OSError):
            self.press(b"q")
            while os.read(self._master, 65536):
                pass
        self._process.kill()
        self._process.wait()
        os.close(self._master)


if __name__ == "__main__":
    from benchmarks.measure import table

    print("\n".join(table(list(rows(10.0)))))
