"""Run streamcli on a terminal of its own, as a shell would: stdin, stdout and stderr are one pty."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from typing import NamedTuple

from tests.e2e.program import DEADLINE, Program, Word


class Screen(NamedTuple):
    """All that a terminal was sent, with its line ends as `\\n`; and the exit code."""

    text: str
    code: int


def own_terminal() -> None:
    """Run in the child: standard input becomes its controlling terminal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def on_terminal(
    program: Program,
    *words: Word,
    env: Mapping[str, str] | None = None,
    types: bytes = b"",
    after: str = "",
    columns: int = 80,
) -> Screen:
    """Run to the end; `types` is typed once the screen ends in `after`."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        program.command("--db", program.db, *words),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**program.environment, **(env or {})},
        cwd=program.home,
        start_new_session=True,
        preexec_fn=own_terminal,  # noqa: PLW1509 - there are no threads here
    )
    os.close(slave)
    try:
        raw = _watch(master, types, after.replace("\n", "\r\n").encode())
        code = process.wait(DEADLINE)
    finally:
        process.kill()
        process.wait(DEADLINE)
        os.close(master)
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return Screen(raw.replace(b"\r\n", b"\n").decode("utf-8", "backslashreplace"), code)


def _watch(master: int, types: bytes, after: bytes) -> bytes:
    """What comes out until the other end is closed."""
    raw = b""
    end = time.monotonic() + DEADLINE
    while True:
        ready, _, _ = select.select([master], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            raise AssertionError(f"the terminal fell silent after {raw!r}")
        try:
            chunk = os.read(master, 65536)
        except OSError:  # Linux: EIO, the other end is closed
            return raw
        if not chunk:
            return raw
        raw += chunk
        if types and raw.endswith(after):
            os.write(master, types)
            types = b""
