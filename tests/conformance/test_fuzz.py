"""With a server at hand, a small set of seeds is compared live; and the generators are held to their promises."""

from __future__ import annotations

import pytest

from tests.conformance.embedded import Embedded
from tests.conformance.fuzz import Bench, quoted
from tests.conformance.generators import KINDS
from tests.conformance.live import Server
from tests.conformance.script import words


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_random_sequences_are_answered_as_by_the_server(kind: str, protocol: int, redis_8_0: Server | None) -> None:
    """Five seeds; without a server the engine still has to get through them without raising."""
    for seed in range(1, 6):
        units = KINDS[kind](seed, 150)
        if redis_8_0 is None:
            engine = Embedded(protocol)
            engine.run([line for unit in units for line in unit])
            engine.close()
            continue
        found = Bench(redis_8_0, protocol, lambda: Embedded(protocol)).difference(units)
        assert found is None, f"{kind} seed {seed}, command {found.at + 1}\n{found}"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_seed_makes_the_same_sequence_every_time(kind: str) -> None:
    assert KINDS[kind](7, 100) == KINDS[kind](7, 100) != KINDS[kind](8, 100)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_printed_line_is_read_back_as_it_was(kind: str) -> None:
    for unit in KINDS[kind](3, 200):
        for line in unit:
            assert words(quoted(line).encode()) == list(line)
