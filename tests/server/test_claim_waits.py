"""Who reads with CLAIM and waits is told of XNACK, and when what is pending is old enough: on every way in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import streamcli
from tests.remote.processes import until
from tests.server.served import serving

READ = ("XREADGROUP", "GROUP", "g", "ann", "BLOCK", "20000", "CLAIM")
TAKEN = [["a", [("1-1", {"f": "v"})]]]


@pytest.fixture(params=["server", "server on a file", "door"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Makes clients of one engine."""
    with ExitStack() as stack:
        if request.param == "door":
            door: Any = stack.enter_context(streamcli.connect(decode_responses=True))
            yield lambda: door
            return
        flags = ("--db", str(tmp_path / "a.db")) if "file" in request.param else ()
        yield stack.enter_context(serving(*flags)).client


def waiting(make: Callable[[], Any], idle: str, got: list[Any]) -> threading.Thread:
    """Somebody else holds 1-1; the thread waits to take it over."""
    client = make()
    client.execute_command("XADD", "a", "1-1", "f", "v")
    client.execute_command("XGROUP", "CREATE", "a", "g", "0")
    client.execute_command("XREADGROUP", "GROUP", "g", "bob", "STREAMS", "a", ">")
    thread = threading.Thread(target=lambda: got.append(make().execute_command(*READ, idle, "STREAMS", "a", ">")))
    thread.start()
    until(lambda: len(client.xinfo_consumers("a", "g")) == 2, "somebody waits")
    return thread


def test_what_is_given_back_wakes_who_waits_for_it(make: Callable[[], Any]) -> None:
    got: list[Any] = []
    thread = waiting(make, "1000000", got)
    assert make().execute_command("XNACK", "a", "g", "FAIL", "IDS", "1", "1-1") == 1
    thread.join(15)
    assert got == [TAKEN]


def test_what_has_been_pending_long_enough_is_taken_over_before_the_wait_ends(make: Callable[[], Any]) -> None:
    got: list[Any] = []
    thread = waiting(make, "300", got)
    thread.join(15)
    assert got == [TAKEN]
