"""What no server at hand can be asked: the newest Redis, held to replies that were written down by hand.

A script is lines as in `script.py`; under each command stands its reply, after `=` for both protocols, or after `=2`
and `=3` where they differ. A reply is what goes on the wire, in words: `$text` is a bulk string (its length is put in),
anything else stands for itself and a line end; behind a `-` everything to the end of the line is the error. `~ 100`
lets 100 ms pass. The clock begins at START_MS and moves only so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from streamcli.engine import Engine, Wait
from streamcli.resp import encode
from tests.conformance.embedded import START_MS
from tests.conformance.script import words
from tests.conformance.wire import Argv

FOLDER: Final = Path(__file__).with_name("newest")
NAMES: Final = sorted(path.stem for path in FOLDER.glob("*.redis"))


class Step(NamedTuple):
    """A command with its reply in each protocol, or so many ms that pass before the next."""

    line: int
    argv: Argv
    replies: dict[int, bytes]
    passed_ms: int = 0


def steps(name: str) -> Iterator[Step]:
    step: Step | None = None
    for number, line in enumerate((FOLDER / f"{name}.redis").read_bytes().splitlines(), 1):
        if line.startswith((b"= ", b"=2 ", b"=3 ")):
            assert step is not None
            mark, _, reply = line.partition(b" ")
            step.replies.update(dict.fromkeys((2, 3) if mark == b"=" else (int(mark[1:]),), wire(reply)))
        elif line.strip() and not line.startswith(b"#"):
            if step is not None:
                yield step
            passed = line.startswith(b"~ ")
            step = Step(number, [] if passed else words(line), {}, int(line[2:]) if passed else 0)
    if step is not None:
        yield step


def wire(reply: bytes) -> bytes:
    """The bytes that a reply written in words stands for."""
    if reply.startswith(b"-"):
        return reply + b"\r\n"
    return b"".join(_node(word) for word in words(reply))


def _node(word: bytes) -> bytes:
    if word.startswith(b"$") and word != b"$-1":
        return b"$%d\r\n%b\r\n" % (len(word) - 1, word[1:])
    return word + b"\r\n"


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_the_engine_answers_as_written_down(name: str, protocol: int) -> None:
    engine = Engine()
    session, now_ms = engine.session(), START_MS
    if protocol == 3:
        session.execute([b"HELLO", b"3"], now_ms)
    for step in steps(name):
        now_ms += step.passed_ms
        if not step.argv:
            continue
        reply = session.execute(step.argv, now_ms)
        found = encode(reply.timed_out if isinstance(reply, Wait) else reply, protocol)
        assert found == step.replies[protocol], f"{name}.redis, line {step.line}: {step.argv}"
    engine.close()
