"""Commands about all keys there are, on a cluster: every primary is asked, and the answers are put together.

`run` sends words to one node and gives its reply. No connection is known here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from streamcli.backend import LostError, UnreachableError
from streamcli.backend.remote.slots import Place
from streamcli.grammar.parse import Call
from streamcli.reply import Error, Reply, Set

Run: TypeAlias = Callable[[Place, Sequence[bytes]], Reply]

HOW: Final = {  # what is said of it
    b"DBSIZE": "DBSIZE asks all {} primaries and adds up",
    b"KEYS": "KEYS asks all {} primaries",
    b"SCAN": "SCAN goes through all {} primaries, one after another; the end of its cursor says which",
    b"RANDOMKEY": "RANDOMKEY asks one of the {} primaries, any that has keys",
    b"FLUSHALL": "FLUSHALL was sent to all {} primaries",
    b"FLUSHDB": "FLUSHDB was sent to all {} primaries",
}
_NODES_MAX: Final = 10_000  # the last digits of a SCAN's cursor are the node's


def is_about_all(call: Call) -> bool:
    """Is the command one of these, and a right one? A wrong one gets its error from one node."""
    return bool(call.argv) and call.argv[0].upper() in HOW and not call.problems


def ask(call: Call, places: Sequence[Place], run: Run) -> Reply:
    """The reply of all primaries. Raises what `run` does; LostError when some have already done it."""
    argv = call.argv
    match argv[0].upper():
        case b"SCAN":
            return _scan(argv, places, run)
        case b"RANDOMKEY":
            return _random_key(argv, places, run)
        case b"DBSIZE":
            return _sum(argv, places, run)
        case b"KEYS":
            return _keys(argv, places, run)
    return _to_all(argv, places, run)


def _sum(argv: Sequence[bytes], places: Sequence[Place], run: Run) -> Reply:
    total = 0
    for place in places:
        reply = run(place, argv)
        if not isinstance(reply, int):
            return reply
        total += reply
    return total


def _keys(argv: Sequence[bytes], places: Sequence[Place], run: Run) -> Reply:
    names: list[Reply] = []
    for place in places:
        reply = run(place, argv)
        if isinstance(reply, Set):
            reply = reply.items
        if not isinstance(reply, list):
            return reply
        names += reply
    return names


def _random_key(argv: Sequence[bytes], places: Sequence[Place], run: Run) -> Reply:
    reply: Reply = None
    for place in random.sample(places, len(places)):
        reply = run(place, argv)
        if reply is not None:
            break
    return reply


def _to_all(argv: Sequence[bytes], places: Sequence[Place], run: Run) -> Reply:
    """Each of them, and the last answer; after an error, or without an answer, the others are left alone."""
    reply: Reply = None
    for number, place in enumerate(places):
        done = f"{number} of {len(places)} primaries had done it before"
        try:
            reply = run(place, argv)
        except (LostError, UnreachableError) as error:
            if not number:
                raise
            raise LostError(f"{error}; {done}") from None
        if isinstance(reply, Error):
            return Error(f"{reply.text} ({place}; {done})") if number else reply
    return reply


def _scan(argv: Sequence[bytes], places: Sequence[Place], run: Run) -> Reply:
    """The cursor is the node's own, with the number of the node behind it."""
    number, cursor = 0, b"0"
    if argv[1].isdigit():
        left, number = divmod(int(argv[1]), _NODES_MAX)
        cursor = b"%d" % left
    if number >= len(places):
        return [b"0", []]  # there are fewer nodes than there were
    reply = run(places[number], [argv[0], cursor, *argv[2:]])
    if not isinstance(reply, list) or len(reply) != 2 or not isinstance(reply[0], bytes) or not reply[0].isdigit():
        return reply
    left = int(reply[0])
    if not left:
        number += 1
        return [b"%d" % (number if number < len(places) else 0), reply[1]]
    return [b"%d" % (left * _NODES_MAX + number), reply[1]]
