"""Random command lines, the same for the same seed: wrong ones, and long sequences of mostly right ones.

A sequence is a list of units, each a few lines that stay together: what may block is wrapped in MULTI and EXEC,
where Redis never waits, and a shrinker must not take that wrapping away. Nothing here depends on a clock: idle times
are 0, or set by the line itself to values far apart.
"""

from __future__ import annotations

import random
from typing import Final, TypeAlias

from tests.conformance.nodes import Nodes
from tests.conformance.pools import OTHERS, STREAMS, Pool
from tests.conformance.walk import Walk
from tests.conformance.wire import Argv

Unit: TypeAlias = list[Argv]

_STATE: Final = [
    line.encode().split()
    for line in """\
FLUSHALL
SELECT 0
SET w string
XADD s 1-1 f v
XADD s 2-0 f v g w
XADD s 2-5 f v
XADD t 1-1 f v
XGROUP CREATE s g 0
XGROUP CREATE s h $
XGROUP CREATE t g 0
XREADGROUP GROUP g c COUNT 2 STREAMS s >
XREADGROUP GROUP g d COUNT 1 STREAMS t >
XGROUP CREATE e g 0 MKSTREAM""".splitlines()
]


def replies(seed: int, commands: int) -> list[Unit]:
    """A sequence of mostly valid commands on few keys, with the whole state read out every so often."""
    return Walk(random.Random(f"replies {seed}")).sequence(commands)


def errors(seed: int, commands: int) -> list[Unit]:
    """Mostly wrong lines over every command there is, on a state that is put back every 30 lines."""
    rng = random.Random(f"errors {seed}")
    units: list[Unit] = []
    for at in range(commands):
        if at % 30 == 0:
            units += [[b"DISCARD"]], *([line] for line in _STATE)
        units.append(_unit(_line(rng)))
    return units


def nodes(seed: int, commands: int) -> list[Unit]:
    """One stream that fills and empties its nodes."""
    return Nodes(random.Random(f"nodes {seed}")).sequence(commands)


KINDS: Final = {"errors": errors, "nodes": nodes, "replies": replies}


def _unit(line: Argv) -> Unit:
    """The line, where it can not wait for ever."""
    upper = [word.upper() for word in line]
    if upper[:1] in ([b"XREAD"], [b"XREADGROUP"]) and b"BLOCK" in upper:
        return [[b"MULTI"], line, [b"EXEC"]]
    return [line]


def _line(rng: random.Random) -> list[bytes]:
    pools = STREAMS if rng.random() < 0.8 else OTHERS
    name = rng.choices(list(pools), [4 if len(pool.rest) > 10 else 1 for pool in pools.values()])[0]
    head = name.encode().split() or [b""]
    if rng.random() < 0.1:
        head = [word.lower() for word in head]
    tail = _tail(rng, pools[name])
    if name == "XREAD" and rng.random() < 0.7:
        tail = [*tail[: rng.randint(0, 3)], b"STREAMS", *_streams(rng)]
    if name == "XREADGROUP" and rng.random() < 0.8:
        tail = [
            *_w(rng, "GROUP g c", "GROUP g new", "GROUP h c"),
            *tail[: rng.randint(0, 3)],
            b"STREAMS",
            *_streams(rng),
        ]
    if name == "XADD" and rng.random() < 0.6:
        tail = [*tail, rng.choice([b"*", b"9-9", b"7-*", b"2-5", b"2-*"]), *rng.choice([[b"f", b"v"], [b"f"], []])]
    if name in ("XPENDING", "XCLAIM", "XAUTOCLAIM") and rng.random() < 0.5:
        tail[:2] = [b"s", b"g"]
    return _timeless(head + tail)


def _timeless(line: list[bytes]) -> list[bytes]:
    """The line without short times: whether a few milliseconds have passed is nobody's fault."""
    name = line[0].upper()
    for at, word in enumerate(line):
        short = word.isdigit() and len(word) < 5 and word[:1] != b"0"
        if short and name in (b"SET", b"EXPIRE", b"PEXPIRE"):
            line[at] = b"100000"
        elif short and ((at == 4 and name in (b"XCLAIM", b"XAUTOCLAIM")) or line[at - 1].upper() == b"IDLE"):
            line[at] = b"0"
    return line


def _w(rng: random.Random, *texts: str) -> list[bytes]:
    return rng.choice(texts).encode().split()


def _tail(rng: random.Random, pool: Pool) -> list[bytes]:
    start = [rng.choice(choices) for choices in pool.start]
    rest = [rng.choice(pool.rest) for _ in range(rng.choice([0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 8]))]
    if rng.random() < 0.08:
        return start[: rng.randint(0, len(start))]
    return start + rest


def _streams(rng: random.Random) -> list[bytes]:
    keys = rng.choices([b"s", b"t", b"e", b"w", b"none"], [6, 4, 2, 1, 1], k=rng.randint(1, 3))
    ids = [b"0", b">", b"1-1", b"$", b"+", b"2", b"-", b"x", b"(1", b"*", b"9-9", b"01", b"1-*"]
    count = len(keys) if rng.random() < 0.85 else rng.randint(0, 3)
    return keys + rng.choices(ids, [5, 6, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], k=count)
