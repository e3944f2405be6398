"""A writer that is killed: what it has acknowledged is there, and a transaction is there whole or not at all."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import pytest

from tests.e2e.program import Program, Running, said
from tests.e2e.test_processes import ids_of, sound

PER_EXEC = 10


def feed_for_ever(running: Running, pieces: Iterator[bytes]) -> None:
    try:
        for piece in pieces:
            running.feed(piece)
    except BrokenPipeError:
        pass  # it is dead


def killed(program: Program, pieces: Iterator[bytes], after_lines: int) -> list[bytes]:
    """The whole lines that a writer has answered, killed while it is fed more than it can eat."""
    running = program.start("--db", program.db)
    feeder = threading.Thread(target=feed_for_ever, args=(running, pieces), daemon=True)
    feeder.start()
    heard = running.hear(after_lines)
    running.process.kill()
    feeder.join()
    rest = running.finish()
    assert (rest.err, rest.code) == (b"", -9)
    whole, _, _ = (heard + rest.out).rpartition(b"\n")
    return whole.split(b"\n")


@pytest.mark.parametrize("seed", range(15))
def test_every_acknowledged_entry_survives_the_kill_of_its_writer(program: Program, seed: int) -> None:
    chance = random.Random(seed)

    def lines() -> Iterator[bytes]:
        number = 0
        while True:
            piece = b""
            for _ in range(chance.choice((1, 3, 50))):
                number += 1
                piece += b"XADD a * n %d\n" % number
            yield piece

    acknowledged = killed(program, lines(), chance.randrange(1, 600))
    there = ids_of(program, "a")
    assert there[: len(acknowledged)] == acknowledged
    values = program.on("XRANGE", "a", "-", "+").out.splitlines()[2::3]
    assert values == [b"%d" % number for number in range(1, len(there) + 1)]
    assert program.on("XLEN", "a") == said(f"{len(there)}\n")
    assert sound(program)


@pytest.mark.parametrize("seed", range(8))
def test_a_transaction_is_all_or_nothing_when_its_writer_is_killed(program: Program, seed: int) -> None:
    chance = random.Random(100 + seed)
    one = b"MULTI\n" + b"XADD a * f v\nXADD b * f v\n" * PER_EXEC + b"EXEC\n"

    def lines() -> Iterator[bytes]:
        while True:
            yield one * chance.choice((1, 5))

    answered = killed(program, lines(), chance.randrange(1, 2000))
    per_answer = 1 + 4 * PER_EXEC  # OK, QUEUED twice ten times, IDs twice ten times
    executed = len(answered) // per_answer
    a, b = ids_of(program, "a"), ids_of(program, "b")
    assert len(a) == len(b)
    assert len(a) % PER_EXEC == 0
    assert len(a) >= executed * PER_EXEC
    acknowledged = [line for line in answered[: executed * per_answer] if line not in (b"OK", b"QUEUED")]
    assert a[: executed * PER_EXEC] == acknowledged[::2]
    assert b[: executed * PER_EXEC] == acknowledged[1::2]
    assert sound(program)


def test_a_reader_that_waits_is_served_by_the_next_writer_after_one_was_killed(program: Program) -> None:
    waiter = program.start("--db", program.db, "-e", "ECHO ready", "-e", "XREAD BLOCK 0 STREAMS b $")
    assert waiter.hear() == b"ready\n"
    killed(program, iter(lambda: b"XADD a * f v\n", b""), 20)
    assert program.on("XADD", "b", "1-1", "f", "v") == said("1-1\n")
    assert waiter.finish() == said("b\n1-1\nf\nv\n")


def test_what_a_killed_reader_was_given_is_pending_for_it(program: Program) -> None:
    assert program.lines("XADD a 1-1 f v", "XADD a 2-1 f v", "XGROUP CREATE a g 0").code == 0
    reader = program.start("--db", program.db)
    reader.say("XREADGROUP GROUP g c COUNT 1 STREAMS a >")
    assert reader.hear(4) == b"a\n1-1\nf\nv\n"
    reader.process.kill()
    reader.stop()
    assert program.on("XPENDING", "a", "g") == said("1\n1-1\n1-1\nc\n1\n")
    assert program.on("XREADGROUP", "GROUP", "g", "c", "STREAMS", "a", "0") == said("a\n1-1\nf\nv\n")


def test_a_transaction_whose_writer_dies_before_exec_leaves_no_trace(program: Program) -> None:
    writer = program.start("--db", program.db)
    writer.say("MULTI", "XADD a 1-1 f v")
    assert writer.hear(2) == b"OK\nQUEUED\n"
    writer.process.kill()
    writer.stop()
    assert program.on("-e", "EXISTS a", "-e", "XADD a 1-1 f v") == said("0\n1-1\n")
