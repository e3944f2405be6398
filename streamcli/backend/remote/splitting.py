"""A command on keys of several slots, taken apart into one command a slot, and the answers put together again.

Words in, words out: no connection is known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from streamcli.backend.remote.slots import key_slot
from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Halves, Option
from streamcli.reply import NIL_ARRAY, Map, Nil, Reply

COUNTING: Final = frozenset((b"DEL", b"UNLINK", b"EXISTS", b"TOUCH"))  # they answer how many keys it was
_BLOCK: Final = "BLOCK"


def keys_of(call: Call) -> list[bytes] | None:
    """The keys of a command, as they stand in it; None when the table does not know the command."""
    command = call.command
    if command is None:
        return None
    first, last, step = command.keys
    if first:
        end = len(call.argv) if last < 0 else min(last + 1, len(call.argv))
        return list(call.argv[first:end:step])
    pairs = zip(call.roles, call.argv, strict=False)
    return [word for role, word in pairs if role is not None and role.kind == "key"]


def by_slot(keys: Sequence[bytes]) -> dict[int, list[bytes]]:
    """The keys of each slot, in the order in which they were named."""
    slots: dict[int, list[bytes]] = {}
    for key in keys:
        slots.setdefault(key_slot(key), []).append(key)
    return slots


class Part:
    """What a reading asks of one slot."""

    __slots__ = ("ids", "keys", "slot")

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.keys: list[bytes] = []
        self.ids: list[bytes] = []


class Reading:
    """An XREAD or XREADGROUP that can be taken apart. `block_ms`: None when it does not block, 0 for ever."""

    def __init__(self, call: Call, head: list[bytes], ids: Sequence[bytes]) -> None:
        self.keys: list[bytes] = call.args["key"]
        self.consumes = call.command is not None and call.command.writes
        self.block_ms: int | None = call.args.get("block")
        fate = "gone (NOACK)" if call.args.get("noack") else "pending"
        self.undelivered = f"what it may have delivered is {fate}"  # of a node whose answer was lost, to a group
        self._head = head
        parts: dict[int, Part] = {}
        for key, id_ in zip(self.keys, ids, strict=True):
            slot = key_slot(key)
            part = parts.setdefault(slot, Part(slot))
            part.keys.append(key)
            part.ids.append(id_)
        self.parts = list(parts.values())

    @property
    def waits_for_new(self) -> bool:
        """Does it wait for what comes after this moment, whichever that is?"""
        return self.block_ms is not None and any(b"$" in part.ids for part in self.parts)

    def argv(self, part: Part, block_ms: int | None = None) -> list[bytes]:
        """The command for one slot; it blocks only when that is said."""
        block = [] if block_ms is None else [b"BLOCK", b"%d" % block_ms]
        return [*self._head, *block, b"STREAMS", *part.keys, *part.ids]

    def whole(self) -> list[bytes]:
        """The command for all slots, with the IDs as they are now."""
        parts = {part.slot: (iter(part.keys), iter(part.ids)) for part in self.parts}
        ids = [next(parts[key_slot(key)][1]) for key in self.keys]
        block = [] if self.block_ms is None else [b"BLOCK", b"%d" % self.block_ms]
        return [*self._head, *block, b"STREAMS", *self.keys, *ids]

    def together(self, replies: Sequence[Reply], protocol: int) -> Reply:
        """The answers, one a part, as one server would have given them: in the order in which streams were named."""
        left = {part.slot: pairs(reply) for part, reply in zip(self.parts, replies, strict=True)}
        found: list[tuple[Reply, Reply]] = []
        for key in self.keys:
            rest = left[key_slot(key)]
            if rest and rest[0][0] == key:
                found.append(rest.pop(0))
        found += [pair for rest in left.values() for pair in rest]  # a server that answers what nobody asked
        if not found:
            return NIL_ARRAY if protocol == 2 else None
        return Map(found) if protocol == 3 else [list(pair) for pair in found]


def reading(call: Call) -> Reading | None:
    """The reading that a line is; None when it is none, or when a server has something to say against it."""
    command = call.command
    if command is None or command.name not in ("XREAD", "XREADGROUP") or call.problems:
        return None
    at = next((i for i, role in enumerate(call.roles) if role is not None and isinstance(role.part, Halves)), None)
    if at is None:
        return None
    head: list[bytes] = []
    skipped = -1
    for index, word in enumerate(call.argv[:at]):
        role = call.roles[index]
        if role is not None and isinstance(role.part, Option) and role.part.token == _BLOCK and role.kind == "token":
            skipped = index + 1
        elif index != skipped:
            head.append(word)
    return Reading(call, head, call.argv[at + 1 + len(call.args["key"]) :])


def pairs(reply: Reply) -> list[tuple[Reply, Reply]]:
    """Each stream with its entries, from either protocol's answer."""
    if isinstance(reply, Map):
        return list(reply.pairs)
    if isinstance(reply, list):
        return [(item[0], item[1]) for item in reply if isinstance(item, list) and len(item) == 2]
    return []


def is_empty(reply: Reply) -> bool:
    """Has nothing been read?"""
    return reply is None or isinstance(reply, Nil)
