"""Who waits in XREADGROUP with CLAIM: when he is told, and when not."""

from __future__ import annotations

from typing import Final

import pytest

from streamcli.engine import Engine, Session, Wait
from streamcli.reply import Error

NOW: Final = 1_767_225_600_000
CLAIM: Final = "XREADGROUP GROUP g bob BLOCK 0 CLAIM 1000 STREAMS s >"


@pytest.fixture
def sessions() -> tuple[Session, Session]:
    """Of one engine: who waits, and someone else. `s` has the entries 1-1 and 1-2, both given to ann at NOW."""
    engine = Engine()
    waiter, other = engine.session(), engine.session()
    for line in ("XADD s 1-1 f a", "XADD s 1-2 f b", "XGROUP CREATE s g 0", "XREADGROUP GROUP g ann STREAMS s >"):
        run(other, line, NOW)
    return waiter, other


def run(session: Session, line: str, now_ms: int) -> object:
    return session.execute(line.encode().split(), now_ms)


def wait(session: Session, line: str = CLAIM, now_ms: int = NOW) -> Wait:
    found = run(session, line, now_ms)
    assert isinstance(found, Wait)
    return found


def claimed(*ids: str, idle: int) -> object:
    fields = {"1-1": b"a", "1-2": b"b"}
    return [[b"s", [[id.encode(), [b"f", fields[id]], idle, 1] for id in ids]]]


def test_he_is_told_when_the_first_has_been_pending_for_long_enough(sessions: tuple[Session, Session]) -> None:
    waiter, _ = sessions
    waits = wait(waiter, now_ms=NOW + 300)
    assert waits.again_ms == NOW + 1000
    assert waiter.resume(waits, NOW + 999) == waits
    assert waiter.resume(waits, NOW + 1000) == claimed("1-1", "1-2", idle=1000)


def test_what_another_has_renewed_is_waited_for_again(sessions: tuple[Session, Session]) -> None:
    waiter, other = sessions
    waits = wait(waiter)
    run(other, "XCLAIM s g carl 0 1-1 1-2 JUSTID", NOW + 900)
    later = waiter.resume(waits, NOW + 1000)
    assert isinstance(later, Wait)
    assert later.again_ms == NOW + 1900
    assert waiter.resume(later, NOW + 1900) == claimed("1-1", "1-2", idle=1000)


def test_what_is_gone_is_not_waited_for(sessions: tuple[Session, Session]) -> None:
    waiter, other = sessions
    run(other, "XCLAIM s g ann 0 1-2 JUSTID", NOW + 500)
    run(other, "XDEL s 1-1", NOW + 500)
    assert wait(waiter, now_ms=NOW + 500).again_ms == NOW + 1500


def test_xnack_tells_him(sessions: tuple[Session, Session]) -> None:
    waiter, other = sessions
    waits = wait(waiter)
    run(other, "XNACK s g FAIL IDS 1 1-2", NOW + 10)
    assert waiter.resume(waits, NOW + 10) == [[b"s", [[b"1-2", [b"f", b"b"], NOW + 10, 1]]]]


def test_xnack_does_not_tell_who_claims_nothing(sessions: tuple[Session, Session]) -> None:
    waiter, other = sessions
    waits = wait(waiter, "XREADGROUP GROUP g bob BLOCK 0 STREAMS s >")
    run(other, "XNACK s g FAIL IDS 1 1-2", NOW + 10)
    assert waiter.resume(waits, NOW + 10) is waits
    assert waits.again_ms is None


def test_nor_does_an_xnack_that_released_nothing(sessions: tuple[Session, Session]) -> None:
    waiter, other = sessions
    waits = wait(waiter)
    run(other, "XNACK s g FAIL IDS 1 9-9", NOW + 10)
    assert waiter.resume(waits, NOW + 10) == waits


def test_a_new_entry_tells_him_and_its_group_going_does(sessions: tuple[Session, Session]) -> None:
    waiter, other = sessions
    waits = wait(waiter)
    run(other, "XADD s 1-3 f c", NOW + 10)
    assert waiter.resume(waits, NOW + 10) == [[b"s", [[b"1-3", [b"f", b"c"], 0, 0]]]]
    waits = wait(waiter)
    run(other, "XGROUP DESTROY s g", NOW + 20)
    gone = waiter.resume(waits, NOW + 20)
    assert isinstance(gone, Error)
    assert gone.code == "NOGROUP"


def test_with_nothing_pending_he_looks_again_after_that_time(sessions: tuple[Session, Session]) -> None:
    waiter, other = sessions
    run(other, "XACK s g 1-1 1-2", NOW)
    assert wait(waiter, now_ms=NOW + 5).again_ms == NOW + 1005
    # and with 0 not all the time
    assert wait(waiter, CLAIM.replace("1000", "0"), NOW + 5).again_ms == NOW + 105


def test_the_time_to_wait_ends_it(sessions: tuple[Session, Session]) -> None:
    waiter, _ = sessions
    waits = wait(waiter, CLAIM.replace("BLOCK 0", "BLOCK 400"))
    assert waiter.resume(waits, NOW + 399) == waits
    assert waiter.resume(waits, NOW + 400) == waits.timed_out


def test_the_earliest_of_several_streams_counts(sessions: tuple[Session, Session]) -> None:
    waiter, other = sessions
    for line in ("XADD t 1-1 f a", "XGROUP CREATE t g 0"):
        run(other, line, NOW)
    run(other, "XREADGROUP GROUP g ann STREAMS t >", NOW - 200)
    waits = wait(waiter, "XREADGROUP GROUP g bob BLOCK 0 CLAIM 1000 STREAMS s t > >")
    assert waits.again_ms == NOW + 800
    assert waiter.resume(waits, NOW + 800) == [[b"t", [[b"1-1", [b"f", b"a"], 1000, 1]]]]
