"""A random walk over a small world of streams: few keys, few groups, few consumers, IDs close together.

Small on purpose: commands then meet each other's traces (a pending entry that was deleted, a group set back, a key
copied over another), which is where a wrong engine shows. The walk does not model the streams; it only remembers
how high IDs have become, so that most additions succeed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, TypeVar

from tests.conformance.wire import Argv

_KEYS: Final = ("s", "s", "s", "t", "t", "u")
_GROUPS: Final = ("g", "g", "g", "h")
_CONSUMERS: Final = ("c", "c", "d", "e")
_MIN_IDLE: Final = ("0", "0", "0", "900000", "4000000", "10000000000000", "-5")
_TOP: Final = "18446744073709551615"
T = TypeVar("T")


class Walk:
    """One sequence; `sequence()` may be called once."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._top = dict.fromkeys("stu", 1)
        self._fat = rng.random() < 0.25  # values so big that few fit into a node
        self._roomy = rng.random() < 0.3  # streams of hundreds of entries, seldom trimmed
        self._moves: tuple[tuple[int, Callable[[], str | Argv]], ...] = (
            (28, self._xadd),
            (5, self._xtrim),
            (6, self._xdel),
            (5, self._range),
            (5, self._xread),
            (18, self._xreadgroup),
            (6, self._xack),
            (7, self._xclaim),
            (5, self._xautoclaim),
            (6, self._xpending),
            (9, self._xgroup),
            (5, self._xinfo),
            (2, self._xsetid),
            (3, self._keyspace),
            (1, self._string),
        )

    def sequence(self, commands: int) -> list[list[Argv]]:
        units: list[list[Argv]] = [[line] for line in self._settings()]
        for at in range(commands):
            units.append(self._transaction() if self._rng.random() < 0.03 else [self._line()])
            if self._roomy and self._chance(0.05):
                units += [[self._xadd()] for _ in range(self._rng.randint(10, 60))]
            if at % 20 == 19:
                units += [[line] for line in [*self.state(), *self._repairs()]]
        return units

    def _repairs(self) -> list[Argv]:
        """Groups where they may have gone, so that a long walk does not end among errors."""
        lines = [f"GETDEL {key}" for key in "stu" if self._chance(0.3)]
        for key, group in (("s", "g"), ("s", "h"), ("t", "g"), ("t", "h"), ("u", "g")):
            if self._chance(0.6):
                lines.append(f"XGROUP CREATE {key} {group} {self._pick('0', '0', '$', self._id(key))} MKSTREAM")
        return [line.encode().split() for line in lines]

    def state(self) -> list[Argv]:
        """Lines whose replies are all there is to see."""
        lines = ["DBSIZE", "KEYS *"]
        for key in "stu":
            lines += [f"TYPE {key}", f"XINFO STREAM {key} FULL COUNT 0"]
            lines += [f"XPENDING {key} {group} - + 1000" for group in "gh"]
        lines += [f"XINFO CONSUMERS {key} {group}" for key in "st" for group in "gh"]
        return [line.encode().split() for line in lines]

    def _settings(self) -> list[Argv]:
        lines = []
        if self._rng.random() < 0.6:
            lines.append(f"CONFIG SET stream-node-max-entries {self._pick('1', '2', '3', '5', '10', '0', '100')}")
        if self._rng.random() < 0.3:
            lines.append(f"CONFIG SET stream-node-max-bytes {self._pick('1', '60', '200', '1000', '0', '4096')}")
        return [*(line.encode().split() for line in lines), *self._repairs()]

    def _line(self) -> Argv:
        move = self._rng.choices([move for _, move in self._moves], [weight for weight, _ in self._moves])[0]
        line = move()
        return line.encode().split() if isinstance(line, str) else line

    def _transaction(self) -> list[Argv]:
        words = [self._line() for _ in range(self._rng.randint(1, 6))]
        if self._chance(0.15):
            words.append(
                self._pick([b"XFOO"], [b"XADD", b"s"], [b"MULTI"], [b"WATCH", b"s"], [b"XGROUP", b"FOO", b"s"])
            )
        watch: list[Argv] = [[b"WATCH", self._key().encode()]] if self._chance(0.3) else []
        if watch and self._chance(0.4):
            watch.append(self._line())
        if watch and self._chance(0.2):
            watch.append([b"UNWATCH"])
        return [*watch, [b"MULTI"], *words, [b"DISCARD" if self._chance(0.1) else b"EXEC"]]

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _pick(self, *choices: T) -> T:
        return self._rng.choice(choices)

    def _maybe(self, text: str, probability: float = 0.5) -> str:
        return text if self._chance(probability) else ""

    def _key(self) -> str:
        return self._rng.choice(_KEYS)

    def _group(self) -> str:
        return self._rng.choice(_GROUPS) if self._chance(0.97) else "nogroup"

    def _consumer(self) -> str:
        return self._rng.choice(_CONSUMERS)

    def _id(self, key: str) -> str:
        """Mostly an ID near one that exists."""
        high = self._top[key]
        ms = self._rng.randint(max(0, high - 12), high + 1) if self._chance(0.7) else self._rng.randint(0, high)
        return self._pick(f"{ms}-{self._rng.randint(0, 3)}", f"{ms}-{self._rng.randint(0, 1)}", str(ms))

    def _ids(self, key: str) -> str:
        return " ".join(self._id(key) for _ in range(self._pick(1, 1, 2, 3, 5)))

    def _bound(self, key: str, *infinite: str) -> str:
        found = self._id(key)
        return self._pick(*infinite, *infinite, found, found, f"({found}")

    def _trimming(self, key: str) -> str:
        mark = self._pick("", "=", "~", "~")
        limit = f"LIMIT {self._rng.randint(0, 12)}" if mark == "~" and self._chance(0.4) else ""
        if self._chance(0.5):
            kept = self._pick(40, 90, 100, 110, 199, 250) if self._roomy else self._pick(0, 1, 2, 3, 5, 8, 13, 20, 30)
            return f"MAXLEN {mark} {kept} {limit}"
        return f"MINID {mark} {self._id(key)} {limit}"

    def _xadd(self) -> Argv:
        key = self._key()
        self._top[key] += self._pick(0, 0, 1, 1, 1, 2)
        top = self._top[key]
        new = (
            f"{top}-*"
            if self._chance(0.85)
            else self._pick(self._id(key), str(top), f"{top}-{self._rng.randint(0, 9)}")
        )
        if self._chance(0.003):
            new = self._pick("9999999999999-*", f"{_TOP}-{_TOP}", f"{top + 1}-{_TOP}")
        often = 0.01 if self._roomy else 0.12
        options = f"{self._maybe('NOMKSTREAM', 0.1)} {self._trimming(key) if self._chance(often) else ''}"
        return [*f"XADD {key} {options} {new}".encode().split(), *self._fields()]

    def _fields(self) -> list[bytes]:
        names = self._pick([b"f"], [b"f"], [b"f"], [b"f", b"g"], [b"g", b"f"], [b"f", b"f"], [b"", b"name"])
        words = []
        for name in names:
            words += [name, self._value()]
        return words

    def _value(self) -> bytes:
        number = str(
            self._rng.choice([0, 1, 127, 128, -1, -4096, 4095, 40000, -(2**23), 2**31, 2**40, -(2**63)])
        ).encode()
        size = (
            self._pick(50, 63, 64, 127, 128, 500, 1000, 4095, 4096, 5000) if self._fat else self._pick(0, 3, 20, 63, 64)
        )
        return self._pick(b"v", b"v", number, number, b"x" * size, b"\x00\r\n\xff", b"007", b"-0")

    def _xtrim(self) -> str:
        key = self._key()
        return f"XTRIM {key} {self._trimming(key)}"

    def _xdel(self) -> str:
        key = self._key()
        return f"XDEL {key} {self._ids(key)}"

    def _range(self) -> str:
        key = self._key()
        count = self._maybe(f"COUNT {self._pick(0, 1, 2, 5, -1, 100)}")
        low, high = self._bound(key, "-"), self._bound(key, "+")
        name, first, last = self._pick(("XRANGE", low, high), ("XREVRANGE", high, low), ("XRANGE", high, low))
        return self._pick(f"{name} {key} {first} {last} {count}", f"{name} {key} {first} {last} {count}", f"XLEN {key}")

    def _xread(self) -> str:
        keys = self._rng.sample("stu", self._pick(1, 1, 2, 3))
        ids = [self._pick(self._id(key), self._id(key), "0", "0", "$", "+") for key in keys]
        return f"XREAD {self._maybe(f'COUNT {self._pick(0, 1, 2, 5, -3)}')} STREAMS {' '.join(keys)} {' '.join(ids)}"

    def _xreadgroup(self) -> str:
        keys = [self._key()] if self._chance(0.85) else ["s", "t"]
        ids = [self._pick(">", ">", ">", "0", self._id(key)) for key in keys]
        options = [self._maybe(f"COUNT {self._pick(1, 1, 2, 3, 5, 0, -1)}", 0.7), self._maybe("NOACK", 0.15)]
        self._rng.shuffle(options)
        who = f"GROUP {self._group()} {self._consumer()}"
        return f"XREADGROUP {who} {' '.join(options)} STREAMS {' '.join(keys)} {' '.join(ids)}"

    def _xack(self) -> str:
        key = self._key()
        return f"XACK {key} {self._group()} {self._ids(key)}"

    def _xclaim(self) -> str:
        key = self._key()
        options = [
            self._maybe(f"IDLE {self._pick(0, 1050000, 5050000, -1, 99999999999999)}", 0.4),
            self._maybe(f"TIME {self._pick(1, 0, -1, 9999999999999, 1000000000000)}", 0.15),
            self._maybe(f"RETRYCOUNT {self._pick(0, 1, 7, -1, 2**62)}", 0.2),
            self._maybe("FORCE", 0.3),
            self._maybe("JUSTID", 0.3),
            self._maybe(f"LASTID {self._id(key)}", 0.1),
        ]
        self._rng.shuffle(options)
        who = f"{self._group()} {self._consumer()} {self._rng.choice(_MIN_IDLE)}"
        return f"XCLAIM {key} {who} {self._ids(key)} {' '.join(options)}"

    def _xautoclaim(self) -> str:
        key = self._key()
        start = self._pick("0", "0", "-", self._id(key), f"({self._id(key)}")
        options = f"{self._maybe(f'COUNT {self._pick(1, 2, 3, 5, 100)}')} {self._maybe('JUSTID', 0.3)}"
        return f"XAUTOCLAIM {key} {self._group()} {self._consumer()} {self._rng.choice(_MIN_IDLE)} {start} {options}"

    def _xpending(self) -> str:
        key = self._key()
        idle = self._maybe(f"IDLE {self._pick(0, 900000, 4000000)}", 0.3)
        rows = f"{idle} {self._bound(key, '-')} {self._bound(key, '+')} {self._pick(0, 1, 3, 10, -1)}"
        return f"XPENDING {key} {self._group()} {self._maybe(f'{rows} {self._maybe(self._consumer())}', 0.7)}"

    def _xgroup(self) -> str:
        key, group = self._key(), self._group()
        read = self._maybe(f"ENTRIESREAD {self._pick(-1, 0, 1, 3, 10, 100)}", 0.3)
        place = self._pick("0", "0", "$", self._id(key))
        create = f"XGROUP CREATE {key} {group} {place} {self._maybe('MKSTREAM')} {read}"
        return self._pick(
            create,
            create,
            create,
            f"XGROUP SETID {key} {group} {self._pick(place, place, '-', '+')} {read}",
            f"XGROUP SETID {key} {group} {place} {read}",
            f"XGROUP CREATECONSUMER {key} {group} {self._consumer()}",
            f"XGROUP DELCONSUMER {key} {group} {self._consumer()}",
            self._pick(f"XGROUP DESTROY {key} {group}", create, create),
        )

    def _xinfo(self) -> str:
        key = self._key()
        count = self._maybe(f"COUNT {self._pick(0, 1, 2, 3, -1)}")
        full = f"XINFO STREAM {key} FULL {count}"
        return self._pick(full, f"XINFO STREAM {key}", f"XINFO GROUPS {key}", f"XINFO CONSUMERS {key} {self._group()}")

    def _xsetid(self) -> str:
        key = self._key()
        last = self._pick(self._id(key), f"{self._top[key] + 1}-5")
        added = self._maybe(f"ENTRIESADDED {self._pick(0, 1, 5, 20, 50, 300)}")
        return f"XSETID {key} {last} {added} {self._maybe(f'MAXDELETEDID {self._id(key)}')}"

    def _keyspace(self) -> str:
        one, other = self._rng.sample("stu", 2)
        if self._chance(0.5):
            return self._pick(
                f"EXISTS {one} {other}", f"TTL {one}", f"PERSIST {one}", "DBSIZE", f"OBJECT ENCODING {one}"
            )
        return self._pick(
            f"RENAME {one} {other}",
            f"RENAMENX {one} {other}",
            f"COPY {one} {other} {self._maybe('REPLACE')}",
            f"COPY {one} {other} REPLACE {self._maybe('DB 1')}",
            f"DEL {one}",
            f"EXPIRE {one} {self._pick(self._rng.randint(10**5, 10**6), -1)} {self._pick('', 'NX', 'XX', 'GT', 'LT')}",
            "SWAPDB 0 1",
            "SELECT 1",
            "SELECT 0",
            "SELECT 0",
        )

    def _string(self) -> str:
        key = self._key()
        # A string over a stream blocks the key until it is deleted: rare, and mostly undone by GETDEL.
        return self._pick(f"GETDEL {key}", f"GETDEL {key}", f"SET {key} v", f"SET {key} v NX GET", f"GET {key}")
