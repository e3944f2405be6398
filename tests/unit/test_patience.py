"""Look-ups before a command end with the user's patience, not with the server's."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import cast

import pytest

from streamcli.backend import Backend, Server, Waiting
from streamcli.reply import Error, Reply
from streamcli.shell.patience import Patient

LATE = Error("ERR the server did not say in time")


class Slow:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.server: Server | None = Server("redis", "8.0.0")
        self.asked: list[bytes] = []
        self.threads: list[threading.Thread] = []
        self.free = threading.Event()

    def browse(self, argv: Sequence[bytes]) -> Reply:
        self.asked.append(argv[0])
        self.threads.append(threading.current_thread())
        assert self.free.wait(30)
        return argv[0]


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.free.set()


def asks(backend: Slow, *, stopped: bool = False, seconds: float = 30.0) -> Patient:
    return Patient(cast("Backend", backend), lambda: stopped, lambda waiting: None, lambda: None, seconds)


def test_replies_come_one_for_each_question_and_from_one_thread(slow: Slow) -> None:
    slow.free.set()
    patient = asks(slow)
    for _ in range(2):
        patient.begin()
        assert [patient.browse((word,)) for word in (b"A", b"B", b"C")] == [b"A", b"B", b"C"]
    assert len(set(slow.threads)) == 1
    assert slow.threads[0] is not threading.current_thread()
    patient.close()
    slow.threads[0].join(30)
    assert not slow.threads[0].is_alive()


@pytest.mark.parametrize(("stopped", "seconds"), [(True, 30.0), (False, 0.0)], ids=["interrupted", "too late"])
def test_after_the_first_that_is_not_answered_nothing_more_is_asked(slow: Slow, stopped: bool, seconds: float) -> None:
    patient = asks(slow, stopped=stopped, seconds=seconds)
    assert [patient.browse((word,)) for word in (b"A", b"B", b"C")] == [LATE] * 3
    assert slow.asked == [b"A"]


def test_the_next_command_has_patience_again_and_no_late_reply(slow: Slow) -> None:
    patient = asks(slow, stopped=True)
    assert patient.browse((b"A",)) == LATE
    slow.free.set()
    patient.begin()
    assert patient.browse((b"B",)) == b"B"


def test_a_wait_is_shown_until_the_reply_comes(slow: Slow) -> None:
    seen: list[int | None] = []

    def shows(waiting: Waiting) -> None:
        seen.append(waiting.left_ms)
        slow.free.set()

    patient = Patient(cast("Backend", slow), lambda: False, shows, lambda: seen.append(-1))
    assert patient.browse((b"A",)) == b"A"
    assert seen[0] is None
    assert seen[-1] == -1


def test_the_engine_in_this_process_is_asked_at_once(slow: Slow) -> None:
    slow.server = None
    slow.free.set()
    assert asks(slow, seconds=0.0).browse((b"A",)) == b"A"
    assert slow.threads == [threading.current_thread()]
