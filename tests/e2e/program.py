"""Run streamcli as a process of its own: to its end, or in a conversation over pipes.

Every test has its own home, so that no test sees another's files. A test that
waits, waits for something to be seen, and for at most `DEADLINE` seconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 30.0

Word: TypeAlias = str | bytes | Path


class Result(NamedTuple):
    """What a process has written, and the code it left with."""

    out: bytes
    err: bytes
    code: int


def said(out: str = "", err: str = "", code: int = 0) -> Result:
    """What is expected of a process, in text."""
    return Result(out.encode(), err.encode(), code)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fail when it has not come true by the deadline."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"this did not happen: {what}")
        time.sleep(0.002)


class Running:
    """A process in conversation: say something, hear the answer."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.process = process
        self._in, self._out, self._err = process.stdin, process.stdout, process.stderr
        self._heard = b""
        self._complaints: list[bytes] = []
        self._listener = threading.Thread(target=lambda: self._complaints.append(self._err.read()), daemon=True)
        self._listener.start()

    def say(self, *lines: str | bytes) -> None:
        """Type lines, each with its line end."""
        for line in lines:
            self.feed((line.encode() if isinstance(line, str) else line) + b"\n")

    def feed(self, data: bytes) -> None:
        """Bytes as they are."""
        self._in.write(data)
        self._in.flush()

    def hear(self, lines: int = 1) -> bytes:
        """The next whole lines of the output."""
        while self._heard.count(b"\n") < lines:
            ready, _, _ = select.select([self._out], [], [], DEADLINE)
            chunk = os.read(self._out.fileno(), 65536) if ready else b""
            if not chunk:
                raise AssertionError(f"wanted {lines} lines, heard only {self._heard!r}, then {self._complaints!r}")
            self._heard += chunk
        parts = self._heard.split(b"\n", lines)
        self._heard = parts.pop()
        return b"\n".join(parts) + b"\n"

    def has_read_all(self) -> bool:
        """Is nothing left in the pipe of what it was fed?"""
        answer = fcntl.ioctl(self._in, termios.FIONREAD, b"\0" * 4)
        left: int = struct.unpack("i", answer)[0]
        return left == 0

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def finish(self) -> Result:
        """End its input, and wait for the rest of what it has to say."""
        with contextlib.suppress(BrokenPipeError):
            self._in.close()
        rest = self._out.read()
        code = self.process.wait(DEADLINE)
        self._listener.join(DEADLINE)
        self._out.close()
        self._err.close()
        return Result(self._heard + rest, b"".join(self._complaints), code)

    def stop(self) -> None:
        """Make sure that it is gone, whatever the test has come to."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)


class Program:
    """streamcli in a home of its own, with `db` as the file to name."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.db = home / "streams.db"
        self.data = home / "data"
        self.default_db = self.data / "streamcli" / "default.db"
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "XDG_DATA_HOME": str(self.data),
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
        }
        self._running: list[Running] = []

    def command(self, *words: Word) -> list[str | bytes]:
        """The words of a process; `streamcli` stands for them."""
        return [sys.executable, "-m", "streamcli", *(str(word) if isinstance(word, Path) else word for word in words)]

    def run(
        self,
        *words: Word,
        stdin: bytes | BinaryIO | int = b"",
        env: Mapping[str, str] | None = None,
        before: Callable[[], None] | None = None,
    ) -> Result:
        """To its end. `stdin` is what it may read, or a file; `before` runs in the child."""
        done = subprocess.run(
            self.command(*words),
            input=stdin if isinstance(stdin, bytes) else None,
            stdin=None if isinstance(stdin, bytes) else stdin,
            capture_output=True,
            env={**self.environment, **(env or {})},
            cwd=self.home,
            preexec_fn=before,
            timeout=DEADLINE,
            check=False,
        )
        return Result(done.stdout, done.stderr, done.returncode)

    def on(self, *words: Word, stdin: bytes = b"") -> Result:
        """The same, on `db`."""
        return self.run("--db", self.db, *words, stdin=stdin)

    def lines(self, *lines: str, words: Sequence[Word] = ()) -> Result:
        """Lines through a pipe, on `db`."""
        return self.on(*words, stdin="".join(f"{line}\n" for line in lines).encode())

    def start(self, *words: Word, env: Mapping[str, str] | None = None) -> Running:
        """A conversation."""
        process = subprocess.Popen(
            self.command(*words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environment, **(env or {})},
            cwd=self.home,
        )
        running = Running(process)
        self._running.append(running)
        return running

    def stop(self) -> None:
        for running in self._running:
            running.stop()
