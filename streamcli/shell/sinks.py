"""Where a reply goes from the prompt: through a pager, into a file, to a shell command.

Replies come as chunks of lines (see `render`), are written as they come and
never held whole. What a user types behind `|`, and their own PAGER, are run by
the shell; data is only ever written to it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from errno import EACCES, EISDIR, ENOTDIR
from itertools import chain
from typing import IO

from streamcli.shell.line import Tail
from streamcli.shell.output import Live, Output, PipeClosedError
from streamcli.text import columns

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_VIEWERS = frozenset(("less", "more", "most", "bat", "view"))  # somebody reads it
_LESS = "FRX"  # leave when it fits on a screen, keep colours, keep the screen: as git starts it


class SinkError(Exception):
    """A reply could not be written; the text says where and why."""


def format_for(tail: Tail) -> str:
    """The format that suits where a reply goes, when the user has chosen none."""
    if tail.kind == "|":
        program = (tail.target.split(None, 1) or [""])[0]
        return "json" if program == "jq" else "tree" if program in _VIEWERS else "raw"
    suffix = os.path.splitext(tail.target)[1].lower()
    return {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}.get(suffix, "raw")


def check_file(tail: Tail) -> None:
    """Raise SinkError when it is plain that the file cannot be written. Changes nothing.

    For before a command runs: what XREADGROUP has delivered should not get lost.
    """
    path = os.path.expanduser(tail.target).encode("utf-8", "surrogateescape")
    try:
        if os.path.isdir(path):
            raise OSError(EISDIR, os.strerror(EISDIR))
        wanted = path if os.path.exists(path) else os.path.dirname(os.path.realpath(path)) or b"."
        os.stat(wanted)
        if not os.access(wanted, os.W_OK):
            raise OSError(EACCES, os.strerror(EACCES))
        if wanted != path and not os.path.isdir(wanted):
            raise OSError(ENOTDIR, os.strerror(ENOTDIR))
    except (OSError, ValueError) as error:
        raise _cannot_write(tail, error) from None


def into_file(tail: Tail, chunks: Iterable[str]) -> None:
    """Write to the file of `> file` or `>> file`. Raises SinkError."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if tail.kind == ">>" else os.O_TRUNC)
        path = os.path.expanduser(tail.target)
        descriptor = os.open(path.encode("utf-8", "surrogateescape"), flags, 0o666)
        try:
            output = Output(descriptor)
            output.lines(chunks)
            output.flush()
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise _cannot_write(tail, error) from None


def _cannot_write(tail: Tail, error: OSError | ValueError) -> SinkError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return SinkError(f"cannot write {tail.target}: {reason.lower()}")


def through(command: str, chunks: Iterable[str], environment: Mapping[str, str] | None = None) -> int:
    """Write to a shell command: its exit code. It may stop reading when it likes. Raises SinkError."""
    try:
        child = subprocess.Popen(
            ["/bin/sh", "-c", command.encode("utf-8", "surrogateescape")],
            stdin=subprocess.PIPE,
            env=environment,
            restore_signals=True,
        )
    except (OSError, ValueError) as error:
        raise SinkError(f"cannot start the shell: {error}") from None
    assert child.stdin is not None
    try:
        with nullcontext() if isinstance(chunks, Live) else _child_in_charge():
            _feed(child.stdin, chunks)
    finally:  # however it ended: the child is not left behind
        with _child_in_charge():
            _close(child.stdin)
            code = child.wait()
    return code


@contextmanager
def _child_in_charge() -> Iterator[None]:
    """Ctrl-C is for the child that has the terminal; it ends, and we go on."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _feed(stdin: IO[bytes], chunks: Iterable[str]) -> None:
    live = isinstance(chunks, Live)
    if isinstance(chunks, Live):
        chunks.descriptor = stdin.fileno()
    with suppress(BrokenPipeError, PipeClosedError):  # it had as much as it wanted
        for chunk in chunks:
            stdin.write(chunk.encode("utf-8", "surrogateescape") + b"\n")
            if live:
                stdin.flush()


def _close(stdin: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        stdin.close()


def pager_command(chosen: str | None, environment: Mapping[str, str]) -> str | None:
    """The pager: what the user has chosen, PAGER, or `less` if there is one; None for none."""
    given = environment.get("PAGER") if chosen is None else chosen
    if given is None:
        return next((name for name in ("less", "more") if shutil.which(name)), None)
    words = given.split()
    return given if words and words[0] != "cat" and shutil.which(words[0]) else None


def paged(
    output: Output,
    chunks: Iterable[str],
    command: str | None,
    environment: Mapping[str, str],
    lent: AbstractContextManager[None] | None = None,
) -> None:
    """Write to the screen, or through a pager as soon as it is clear that a screen is too small.

    The pager runs inside `lent`. Raises PipeClosedError, OSError.
    """
    if command is None:
        output.lines(chunks)
        return
    width, height = shutil.get_terminal_size()
    held: list[str] = []
    rows = 1  # the next prompt
    rest = iter(chunks)
    for chunk in rest:
        held.append(chunk)
        rows += _rows(chunk, width)
        if rows > height:
            break
    else:
        output.lines(held)
        return
    output.flush()
    try:
        with lent or nullcontext():
            through(command, chain(held, rest), {"LESS": _LESS, "LV": "-c", **environment})
    except SinkError:
        output.lines(chain(held, rest))


def _rows(chunk: str, width: int) -> int:
    """How many rows of a screen some lines take."""
    plain = _COLOURS.sub("", chunk) if "\x1b" in chunk else chunk
    return sum(max(1, -(-columns(line) // max(1, width))) for line in plain.split("\n"))
