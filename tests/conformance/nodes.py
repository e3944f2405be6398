"""Random streams that fill and empty their nodes: how many entries fit in one, and what `~` leaves.

Sizes of names, values and IDs stand on both sides of every border of the listpack encoding, and the settings of a
node are drawn too. The lines are those of one key; XINFO STREAM shows how many nodes there are.
"""

from __future__ import annotations

import random
from typing import Final

from tests.conformance.wire import Argv

_KEY: Final = b"k"
_NAMES: Final = (b"f", b"field", b"12", b"-5", b"", b"x" * 70, b"n" * 200)
_VALUES: Final = (
    b"", b"v", b"0", b"1", b"-1", b"007", b"127", b"128", b"4095", b"4096", b"-4096", b"-4097", b"32767", b"32768",
    b"8388608", b"2147483648", b"9223372036854775807", b"9223372036854775808", b"-0", b"+1",
)  # fmt: skip
_LENGTHS: Final = (10, 60, 62, 63, 64, 65, 100, 126, 127, 128, 129, 300, 4090, 4094, 4095, 4096, 4097, 5000, 17000)
_NODE_BYTES: Final = (0, 1, 50, 100, 300, 1000, 4096, 10000)
_NODE_ENTRIES: Final = (0, 1, 2, 7, 50, 100, 130, 300)
_STEPS_MS: Final = (0, 0, 0, 1, 1, 200, 5000, 40000, 9 * 10**6, 3 * 10**9)


class Nodes:
    """One stream; its IDs go up, by steps of every size."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._names = [rng.choice(_NAMES) for _ in range(4)]
        self._ms, self._seq = rng.choice((0, 1, 1526984818136, 2**63, 2**64 - 2000)), 0

    def sequence(self, commands: int) -> list[list[Argv]]:
        lines: list[Argv] = [[b"FLUSHALL"], *self._settings()]
        lines += [self._line() for _ in range(commands)]
        lines += [[b"XINFO", b"STREAM", _KEY], [b"XTRIM", _KEY, b"MAXLEN", b"~", b"10"], [b"XINFO", b"STREAM", _KEY]]
        return [[line] for line in lines]

    def _settings(self) -> list[Argv]:
        """Half the time those of Redis."""
        drawn = (
            (b"stream-node-max-bytes", _NODE_BYTES, 4096),
            (b"stream-node-max-entries", _NODE_ENTRIES, 100),
        )
        return [
            [b"CONFIG", b"SET", name, b"%d" % (self._rng.choice(values) if self._rng.random() < 0.5 else default)]
            for name, values, default in drawn
        ]

    def _line(self) -> Argv:
        kind = self._rng.random()
        if kind < 0.75:
            return [b"XADD", _KEY, *self._trim(0.05), self._next_id(), *self._words()]
        if kind < 0.85:
            return [b"XDEL", _KEY, b"%d-%d" % (self._ms, max(0, self._seq - self._rng.randint(0, 3)))]
        return [b"XTRIM", _KEY, *self._trim(1)] if kind < 0.93 else [b"XINFO", b"STREAM", _KEY]

    def _trim(self, chance: float) -> list[bytes]:
        if self._rng.random() >= chance:
            return []
        how = self._rng.choice(((b"MAXLEN", b"~"), (b"MAXLEN", b"="), (b"MINID", b"~"), (b"MINID", b"=")))
        below = b"%d-%d" % (self._ms, max(0, self._seq - self._rng.randint(0, 5)))
        return [*how, b"%d" % self._rng.randint(0, 150) if how[0] == b"MAXLEN" else below]

    def _next_id(self) -> bytes:
        step = self._rng.choice(_STEPS_MS)
        if step and self._ms + step < 2**64:
            self._ms, self._seq = self._ms + step, self._rng.choice((0, 0, 5, 2**40))
        else:
            self._seq += self._rng.choice((1, 1, 130, 5000))
        return b"%d-%d" % (self._ms, self._seq)

    def _words(self) -> list[bytes]:
        count = self._rng.randint(1, 3)
        usual = self._rng.random() < 0.8
        names = self._names[:count] if usual else [self._rng.choice(self._names) for _ in range(count)]
        return [word for name in names for word in (name, self._value())]

    def _value(self) -> bytes:
        if self._rng.random() < 0.5:
            return self._rng.choice(_VALUES)
        return b"y" * self._rng.choice(_LENGTHS)
