"""The engine goes through the scenarios of the newest Redis, and a real 8.0 through those that hold of it.

A scenario is a title and steps; a step is the words of a command and the reply, written as in RESP2: `"$text"` a bulk
string, `"+OK"`, `"-ERR ..."`, a number, `null` and `"*nil"` the two nulls, a list an array; `"?"` anything, `"?int"`
an integer that is not negative, `"?bulk"` any bulk string. `sequences.jsonl` holds more of them, written in a
review from the same facts; no server could be asked.
"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.embedded import Embedded
from tests.conformance.live import Server
from tests.conformance.sides import Live, Side
from tests.conformance.wire import Aggregate, Node, integer, read, text

AS_OF, LIVE = "8.10", "8.0"


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _holds(scenario: dict[str, Any], version: str) -> bool:
    until = scenario.get("until")
    return _version(scenario["since"]) <= _version(version) and (until is None or _version(until) >= _version(version))


_FILES = [Path(__file__).with_name(name) for name in ("scenarios.jsonl", "sequences.jsonl")]
_ALL = [json.loads(line) for file in _FILES for line in file.read_text(encoding="utf-8").splitlines() if line]
SCENARIOS = [scenario for scenario in _ALL if _holds(scenario, AS_OF)]


def notation(node: Node) -> Any:
    """A reply as the scenarios write it."""
    if isinstance(node, Aggregate):
        return [notation(item) for item in node.items]
    if node in (b"$-1\r\n", b"*-1\r\n"):
        return None if node[:1] == b"$" else "*nil"
    number = integer(node)
    return node[:1].decode() + text(node).decode("utf-8", "replace") if number is None else number


def same(expected: Any, found: Any) -> bool:
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(same, expected, found))
    if expected == "?int":
        return isinstance(found, int) and found >= 0
    if expected == "?bulk":
        return isinstance(found, str) and found.startswith("$")
    return expected == "?" or (type(expected) is type(found) and bool(expected == found))


def _run(scenario: dict[str, Any], side: Side) -> None:
    for number, (argv, expected) in enumerate(scenario["steps"], 1):
        wire = side.call([str(word).encode() for word in argv])
        wire = re.sub(rb":<(\d*)\w*>", lambda match: b":" + (match[1] or b"1"), wire)  # a masked number is a number
        found = notation(read(io.BytesIO(wire)))
        assert same(expected, found), f"step {number}: {argv}\n  expected {expected}\n  found    {found}"
    side.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["title"])
def test_engine_goes_through(scenario: dict[str, Any]) -> None:
    _run(scenario, Embedded(2, newest=True))


def test_the_scenarios_are_true_of_the_server(redis_8_0: Server | None) -> None:
    held = [scenario for scenario in _ALL if _holds(scenario, LIVE)]
    assert len(held) > 50
    for scenario in held if redis_8_0 is not None else ():
        assert redis_8_0 is not None
        _run(scenario, Live(redis_8_0, 2))
