"""Sessions that take turns, in one process and in several: each sees at once what the others have done.

The same interleaving goes to sessions of two engines on one file, to sessions of one engine in memory and, when there
is one, to connections of a real server. Across processes WATCH does not notice what is changed and changed back
(CONTRIBUTING says so), so that it is left out here; `multi.redis` has it.
"""

from __future__ import annotations

import contextlib
import io
import random
from pathlib import Path

import pytest

from streamcli.engine import Engine, Session, Wait
from streamcli.resp import encode
from tests.conformance.embedded import START_MS
from tests.conformance.live import Server
from tests.conformance.masks import Masks
from tests.conformance.older import of_8_0
from tests.conformance.walk import Walk
from tests.conformance.wire import Argv, read

_SESSIONS = 4


def interleaving(seed: int, units: int) -> list[tuple[int, Argv]]:
    """Lines, each with the session that says it; what belongs together stays with one session and in one piece."""
    rng = random.Random(f"sessions {seed}")
    lines: list[tuple[int, Argv]] = []
    for unit in Walk(rng).sequence(units):
        who = rng.randrange(_SESSIONS)
        lines += [(who, line) for line in unit if line[0].upper() not in (b"WATCH", b"CONFIG")]
    return lines


def ours(lines: list[tuple[int, Argv]], engines: list[Engine]) -> list[bytes]:
    sessions: list[tuple[Session, Masks]] = [(engines[at % len(engines)].session(), Masks()) for at in range(_SESSIONS)]
    replies = []
    for now_ms, (who, line) in enumerate(lines, START_MS):
        session, masks = sessions[who]
        with of_8_0():
            reply = session.execute(list(line), now_ms)
        wire = encode(reply.timed_out if isinstance(reply, Wait) else reply, session.protocol)
        replies.append(masks.apply(line, read(io.BytesIO(wire))))
    return replies


def theirs(lines: list[tuple[int, Argv]], server: Server) -> list[bytes]:
    server.reset()
    with contextlib.ExitStack() as stack:
        connections = [(stack.enter_context(contextlib.closing(server.connect())), Masks()) for _ in range(_SESSIONS)]
        return [connections[who][1].apply(line, connections[who][0].call(line)) for who, line in lines]


@pytest.mark.parametrize("seed", range(1, 7))
def test_sessions_that_take_turns_are_answered_alike_everywhere(
    seed: int, tmp_path: Path, redis_8_0: Server | None
) -> None:
    lines = interleaving(seed, 250)
    path = str(tmp_path / "shared.db")
    two, one = [Engine(path), Engine(path)], [Engine()]
    on_a_file, in_memory = ours(lines, two), ours(lines, one)
    real = theirs(lines, redis_8_0) if redis_8_0 is not None else in_memory
    for at, (who, line) in enumerate(lines):
        told = f"seed {seed}, command {at + 1}, session {who}: {line!r}"
        assert on_a_file[at] == in_memory[at] == real[at], told
    for engine in (*two, *one):
        engine.close()
