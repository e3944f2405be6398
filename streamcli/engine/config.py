"""The settings that CONFIG knows: what the engine does by them, and what it only reports.

They live as long as the engine; nothing is written to a file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from streamcli import errors
from streamcli.grammar.types import DATABASES, read_integer
from streamcli.reply import Error
from streamcli.storage.producers import DURATION_SECONDS, MAXSIZE
from streamcli.storage.streams import NodeLimits

_REPORTED = {  # fixed: what a client that asks expects of an embedded, single-node Redis
    b"appendonly": b"yes",
    b"cluster-enabled": b"no",
    b"databases": b"%d" % DATABASES,
    b"maxmemory": b"0",
    b"maxmemory-policy": b"noeviction",
    b"port": b"0",
    b"proto-max-bulk-len": b"536870912",
    b"requirepass": b"",
    b"save": b"",
    b"timeout": b"0",
}
_INTEGERS = {  # name: (default, least, most)
    b"stream-idmp-duration": (DURATION_SECONDS, 1, 86_400),
    b"stream-idmp-maxsize": (MAXSIZE, 1, 10_000),
    b"stream-node-max-bytes": (4096, 0, 2**63 - 1),
    b"stream-node-max-entries": (100, 0, 2**63 - 1),
}
_MEMORY = (b"stream-node-max-bytes",)  # may be written with a unit
_UNITS = {b"": 1, b"b": 1, b"k": 10**3, b"kb": 2**10, b"m": 10**6, b"mb": 2**20, b"g": 10**9, b"gb": 2**30}
_DIGITS_MAX = 20


class Setting(NamedTuple):
    """A setting that somebody else keeps: its value, what is wrong with a new one in Redis's words, the change."""

    get: Callable[[], bytes]
    fault: Callable[[bytes], str | None]
    set: Callable[[bytes], None]


class Config:
    """Names are CONFIG's; values are bytes. `more` are settings of whoever hosts the engine; they go first."""

    def __init__(self) -> None:
        self.more: dict[bytes, Setting] = {}
        self._numbers = {name: default for name, (default, _, _) in _INTEGERS.items()}
        self.node = NodeLimits()
        self.idmp = DURATION_SECONDS, MAXSIZE  # of streams that are made from now on

    def items(self) -> list[tuple[bytes, bytes]]:
        """Every setting, by name."""
        ours = {**_REPORTED, **{name: b"%d" % value for name, value in self._numbers.items()}}
        return sorted({**ours, **{name: setting.get() for name, setting in self.more.items()}}.items())

    def set(self, pairs: list[tuple[bytes, bytes]]) -> Error | None:
        """Change settings, all or none; the error Redis gives for the first that cannot be changed."""
        numbers = dict(self._numbers)
        seen: set[bytes] = set()
        for given, _ in pairs:
            name = given.lower()
            if name not in _INTEGERS and name not in _REPORTED and name not in self.more:
                return errors.unknown_setting(given)
            if name in seen:
                return errors.bad_setting(given, "duplicate parameter")
            seen.add(name)
        for given, value in pairs:
            name = given.lower()
            if name in self.more:
                fault = self.more[name].fault(value)
                if fault is not None:
                    return errors.bad_setting(given, fault)
                continue
            if name in _REPORTED:
                return errors.bad_setting(given, "can't set immutable config")
            _, least, most = _INTEGERS[name]
            number = read_number(value, least, most, memory=name in _MEMORY)
            if isinstance(number, str):
                return errors.bad_setting(given, number)
            numbers[name] = number
        for given, value in pairs:
            if given.lower() in self.more:
                self.more[given.lower()].set(value)
        self._numbers = numbers
        self.node = NodeLimits(numbers[b"stream-node-max-bytes"], numbers[b"stream-node-max-entries"])
        self.idmp = numbers[b"stream-idmp-duration"], numbers[b"stream-idmp-maxsize"]
        return None


def read_number(value: bytes, least: int, most: int, *, memory: bool = False) -> int | str:
    """A number, or what is wrong with it in Redis's words; `memory` may have a unit."""
    if memory:
        number = _bytes_of(value)
        if number is None:
            return "argument must be a memory value"
    else:
        number = read_integer(value)
        if number is None:
            return "argument couldn't be parsed into an integer"
    return number if least <= number <= most else f"argument must be between {least} and {most} inclusive"


def _bytes_of(value: bytes) -> int | None:
    """`4kb` as the number it stands for."""
    digits = value.rstrip(b"bBgGkKmM")
    factor = _UNITS.get(value[len(digits) :].lower())
    if factor is None or not digits.isdigit() or len(digits) > _DIGITS_MAX:
        return None
    return int(digits) * factor
