"""What a caution is: one sentence about a command, the help topic that explains it, and when it is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

When: TypeAlias = Callable[[Mapping[str, Any]], bool]  # of a command's arguments


class Caution(NamedTuple):
    """One sentence, and the topic (`help topic`) that explains it."""

    text: str
    topic: str


class Rule:
    """What is said about some commands, the topic that explains it, and when it is said."""

    def __init__(self, *names: str, topic: str, text: str, when: When) -> None:
        self.names, self.caution, self.when = names, Caution(text, topic), when


def always(args: Mapping[str, Any]) -> bool:
    return True


def has(name: str) -> When:
    return lambda args: name in args
