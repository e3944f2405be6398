"""Whichever way one comes in, the answers are the same: every script, in both protocols, through every door."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

import pytest

from tests.conformance import samples, script, test_newest
from tests.conformance.doors import DOORS, Open
from tests.conformance.fuzz import quoted

_SAMPLES = list(samples.read())
_TIMELESS = ("trim-references", "xackdel", "xdelex", "xnack")  # the others need a clock of their own
_SHOWN = 12  # differences told of; the rest are counted


@pytest.fixture(scope="module", params=[name for name in DOORS if name != "engine"])
def door(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Each door but the engine's own, to which the others are held."""
    with DOORS[request.param]() as opened:
        yield opened


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", script.names())
def test_the_script_is_answered_as_by_the_engine(name: str, protocol: int, door: Open) -> None:
    with DOORS["engine"]() as engine:
        expected = script.play(name, engine(protocol))
    side = door(protocol)
    found = script.play(name, side)
    side.close()
    told = script.differences(expected, found)
    assert not told, f"{len(told)} replies differ\n" + "\n".join(told[:_SHOWN])


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", _TIMELESS)
def test_what_only_the_newest_redis_has_is_answered_as_by_the_engine(name: str, protocol: int, door: Open) -> None:
    """Up to where CLAIM tells how much time has passed."""
    timeless = takewhile(lambda step: b"CLAIM" not in step.argv, test_newest.steps(name))
    lines = [step.argv for step in timeless]
    with DOORS["engine"]() as engine:
        expected = engine(protocol).run(lines)
    side = door(protocol)
    found = [side.call(argv) for argv in lines]
    side.close()
    for argv, reply, wanted in zip(lines, found, expected, strict=True):
        assert reply == wanted, quoted(argv)


@pytest.mark.parametrize("sample", _SAMPLES, ids=[sample.name for sample in _SAMPLES])
def test_the_random_sequence_is_answered_as_by_the_engine_when_it_is_sent_at_once(
    sample: samples.Sample, door: Open
) -> None:
    """What arrives together is one transaction, and is answered as if it were none."""
    with DOORS["engine"]() as engine:
        replies = engine(sample.protocol).run(sample.log)
    side = door(sample.protocol)
    found = side.run(sample.log)
    side.close()
    for at, (argv, reply, expected) in enumerate(zip(sample.log, found, replies, strict=True)):
        assert reply == expected, f"command {at + 1}: {quoted(argv)}"
