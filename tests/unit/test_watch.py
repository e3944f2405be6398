"""What breaks a WATCH, and what does not: as a Redis 8.0 was seen to do, and by the facts for what came later."""

from __future__ import annotations

import pytest

from streamcli.engine import Engine, Session
from streamcli.reply import NIL_ARRAY, Simple

SETUP = (
    "XADD s 1-1 f v", "XADD s 2-1 f v", "XADD s 3-1 f v", "XGROUP CREATE s g 0",
    "XREADGROUP GROUP g ann COUNT 2 STREAMS s >", "XADD t 1-1 f v",
)  # fmt: skip
LEAVES_IT = (
    "XREADGROUP GROUP g ann STREAMS s >", "XREADGROUP GROUP g ann NOACK STREAMS s >",
    "XREADGROUP GROUP g new STREAMS s 0", "XREADGROUP GROUP g ann CLAIM 0 STREAMS s >", "XACK s g 1-1", "XACK s g 9-9",
    "XNACK s g FAIL IDS 1 1-1", "XCLAIM s g bob 0 1-1", "XAUTOCLAIM s g bob 0 0", "XGROUP CREATE s h 0",
    "XGROUP CREATECONSUMER s g new", "XGROUP DELCONSUMER s g ann", "XGROUP SETID s g 0", "XGROUP DESTROY s g",
    "XSETID s 9-9", "XDEL s 9-9", "XDELEX s IDS 1 9-9", "XACKDEL s g IDS 1 9-9", "XTRIM s MAXLEN 100",
    "XCFGSET s IDMP-DURATION 50", "XIDMPRECORD s p i 1-1", "XRANGE s - +", "XPENDING s g", "TOUCH s",
)  # fmt: skip
BREAKS_IT = (
    "XADD s * f v", "XADD s MAXLEN 0 * f v", "XADD s IDMP p i * f v", "XDEL s 1-1", "XDELEX s IDS 1 1-1",
    "XACKDEL s g IDS 1 1-1", "XTRIM s MAXLEN 1", "XTRIM s MAXLEN 1 DELREF", "PEXPIRE s 100000", "RENAME s s2",
    "COPY t s REPLACE", "DEL s", "SET s v", "SWAPDB 0 1", "FLUSHALL",
)  # fmt: skip
NOW = 1_795_176_000_000


def run(session: Session, line: str) -> object:
    return session.execute(line.encode().split(), NOW)


@pytest.mark.parametrize(
    ("line", "breaks"), [*((line, False) for line in LEAVES_IT), *((line, True) for line in BREAKS_IT)]
)
def test_watch_and(line: str, breaks: bool) -> None:
    engine = Engine()
    other, watcher = engine.session(), engine.session()
    for before in SETUP:
        run(other, before)
    run(watcher, "WATCH s")
    run(other, line)
    run(watcher, "MULTI")
    run(watcher, "PING")
    assert run(watcher, "EXEC") == (NIL_ARRAY if breaks else [Simple("PONG")])


def test_a_message_that_was_added_before_leaves_a_watch() -> None:
    engine = Engine()
    other, watcher = engine.session(), engine.session()
    first = run(other, "XADD s IDMP p i * f v")
    run(watcher, "WATCH s")
    assert run(other, "XADD s IDMP p i * f v") == first
    run(watcher, "MULTI")
    run(watcher, "PING")
    assert run(watcher, "EXEC") == [Simple("PONG")]
