"""What a colleague would say over your shoulder: cautions about a command that is right as far as Redis goes.

Each is a function of the parsed command, registered for the commands it is
about, with the help topic that explains it. Knows nothing of data or servers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from streamcli.grammar.foreign import Foreign
from streamcli.grammar.parse import Call
from streamcli.grammar.types import LAST, NEW
from streamcli.ids import MAX_ID

_NODE_ENTRIES = 100  # stream-node-max-entries, unless somebody has set it


class Caution(NamedTuple):
    """One sentence, and the topic (`help topic`) that explains it."""

    text: str
    topic: str


_When = Callable[[Mapping[str, Any]], bool]


class Rule:
    """What is said about some commands, the topic that explains it, and when it is said."""

    def __init__(self, *names: str, topic: str, text: str, when: _When) -> None:
        self.names, self.caution, self.when = names, Caution(text, topic), when


def cautions(call: Call) -> list[Caution]:
    """What there is to say about a command, in the order of RULES; nothing about one with a problem."""
    if call.command is None or call.problems or isinstance(call.command, Foreign):
        return []
    name, args = call.command.name, call.args
    return [rule.caution for rule in RULES if name in rule.names and rule.when(args)]


def _always(args: Mapping[str, Any]) -> bool:
    return True


def _has(name: str) -> _When:
    return lambda args: name in args


def _trims(args: Mapping[str, Any]) -> bool:
    return "maxlen" in args or "minid" in args


def _by_nodes(args: Mapping[str, Any]) -> bool:
    """Is it trimmed by whole nodes, or could it not be? (With DELREF and ACKED even `~` looks into them.)"""
    about = (args.get("maxlen_mark") or args.get("minid_mark")) == "~"
    return about or "delref" in args or "acked" in args


def _references(args: Mapping[str, Any]) -> bool:
    return "keepref" in args or "delref" in args or "acked" in args


def _history(args: Mapping[str, Any]) -> bool:
    """Does XREADGROUP ask for pending entries, which are always answered at once?"""
    return "group" in args and any(id is not NEW for id in args["id"])


def _hash_tag(key: bytes) -> bytes:
    """What of a key decides its slot in a cluster."""
    opened = key.find(b"{")
    closed = key.find(b"}", opened + 1)
    return key[opened + 1 : closed] if opened >= 0 and closed > opened + 1 else key


RULES = (
    # reading
    Rule(
        "XREAD",
        topic="reading",
        text="$ in a loop misses what is added between two reads: begin with $, then go on from the last ID that came",
        when=lambda args: LAST in args["id"],
    ),
    Rule(
        "XREAD",
        topic="reading",
        text="without COUNT all that is there comes in one reply: give COUNT and go on from it",
        when=lambda args: not args.get("count") and any(id == (0, 0) for id in args["id"]),
    ),
    Rule(
        "XRANGE",
        "XREVRANGE",
        topic="ids",
        text="nothing lies between these: XRANGE names the smaller ID first, XREVRANGE the greater",
        when=lambda args: isinstance(args["start"], tuple) and args["start"] > args["end"],
    ),
    Rule(
        "FLUSHDB",
        "FLUSHALL",
        topic="trimming",
        text="streams, groups and all that is pending go at once, and there is no way back",
        when=_always,
    ),
    Rule(
        "XADD",
        "XTRIM",
        topic="trimming",
        text="a LIMIT below the entries of one node (100 by default) removes nothing at all",
        when=lambda args: 0 < (args.get("limit") or 0) < _NODE_ENTRIES,
    ),
    Rule(
        "XGROUP SETID",
        topic="groups",
        text="at the greatest ID of all the group is never given anything again",
        when=lambda args: args["id"] == MAX_ID,
    ),
    Rule(
        "XRANGE",
        "XREVRANGE",
        topic="reading",
        text="the whole stream in one reply: give COUNT and go on behind the last ID",
        when=lambda args: "count" not in args and args["start"] == (0, 0) and args["end"] == (2**64 - 1, 2**64 - 1),
    ),
    Rule(
        "XREAD",
        "XREADGROUP",
        topic="blocking",
        text="BLOCK 0 waits for ever: a client with a shorter timeout of its own gives up first, and must read again",
        when=lambda args: args.get("block") == 0 and not _history(args),
    ),
    Rule(
        "XREAD",
        "XREADGROUP",
        topic="cluster",
        text="in a cluster these streams must be in one slot: give their names a common {hash tag}",
        when=lambda args: len(set(args["key"])) > 1 and len(set(map(_hash_tag, args["key"]))) > 1,
    ),
    Rule(
        "XREADGROUP",
        topic="blocking",
        text="BLOCK does nothing here: an ID other than > asks for history, and that is answered at once",
        when=lambda args: "block" in args and _history(args),
    ),
    # groups
    Rule(
        "XREADGROUP",
        topic="pending",
        text="what is read stays pending until XACK: without it the list of pending entries grows for ever",
        when=lambda args: "noack" not in args and NEW in args["id"],
    ),
    Rule(
        "XREADGROUP",
        topic="pending",
        text="with NOACK an entry is forgotten as soon as it is sent: a consumer that dies loses what it was given",
        when=lambda args: "noack" in args and NEW in args["id"],
    ),
    Rule(
        "XGROUP CREATE",
        topic="groups",
        text="with $ the group never sees what the stream holds already; 0 begins at its first entry",
        when=lambda args: args["id"] is LAST,
    ),
    Rule(
        "XGROUP CREATE",
        topic="groups",
        text="without MKSTREAM it fails when nothing has been added to the stream yet",
        when=lambda args: "mkstream" not in args,
    ),
    Rule(
        "XGROUP SETID",
        topic="groups",
        text="moving a group back delivers entries again, moving it on skips some; what is pending stays pending",
        when=_always,
    ),
    Rule(
        "XGROUP SETID",
        "XGROUP CREATE",
        topic="lag",
        text="an ID in the middle makes the group's lag unknown, unless ENTRIESREAD says how much lies before it",
        when=lambda args: (
            "entriesread" not in args and isinstance(args["id"], tuple) and args["id"] not in (LAST, (0, 0))
        ),
    ),
    Rule(
        "XGROUP DESTROY",
        topic="groups",
        text="its pending entries are forgotten with it: nobody will know what was delivered and not done",
        when=_always,
    ),
    Rule(
        "XGROUP DELCONSUMER",
        topic="pending",
        text="its pending entries are forgotten, not given to others: claim them first, with XAUTOCLAIM",
        when=_always,
    ),
    # claiming
    Rule(
        "XCLAIM",
        "XAUTOCLAIM",
        topic="claiming",
        text="a min-idle-time of 0 takes entries from a consumer that is working on them: both will do the work",
        when=lambda args: args["min_idle_time"] <= 0,
    ),
    Rule(
        "XREADGROUP",
        topic="claiming",
        text="CLAIM 0 takes entries from a consumer that is working on them: both will do the work",
        when=lambda args: args.get("claim") == 0 and NEW in args["id"],
    ),
    Rule(
        "XREADGROUP",
        topic="claiming",
        text="NOACK holds for new entries: what CLAIM takes over stays pending until XACK",
        when=lambda args: "claim" in args and "noack" in args and NEW in args["id"],
    ),
    Rule(
        "XREADGROUP",
        topic="claiming",
        text="CLAIM does nothing for an ID other than >, nor for the streams named after such a one",
        when=lambda args: "claim" in args and _history(args),
    ),
    Rule(
        "XNACK",
        topic="claiming",
        text="SILENT does not count the attempt: an entry that is always given back so goes round for ever",
        when=_has("silent"),
    ),
    Rule(
        "XNACK",
        topic="claiming",
        text="any consumer may get it at once, also while somebody works on it: release only what you hold",
        when=_always,
    ),
    Rule(
        "XCLAIM",
        "XNACK",
        topic="claiming",
        text="FORCE makes entries pending that were never delivered to anyone of the group",
        when=_has("force"),
    ),
    Rule(
        "XCLAIM",
        "XAUTOCLAIM",
        topic="claiming",
        text="with JUSTID the delivery count does not grow: an entry that kills its consumers is never noticed by it",
        when=_has("justid"),
    ),
    Rule(
        "XAUTOCLAIM",
        topic="claiming",
        text="one call looks at some of the pending entries only: go on from the ID it answers with, until that is 0-0",
        when=_always,
    ),
    # writing and cleaning up
    Rule(
        "XADD",
        topic="trimming",
        text="nothing trims this stream: it grows until memory ends, unless somebody else trims it",
        when=lambda args: not _trims(args),
    ),
    Rule(
        "XADD",
        "XTRIM",
        topic="trimming",
        text="trimming to the entry is dear, as nodes are taken apart: with ~ only whole nodes go",
        when=lambda args: _trims(args) and not _by_nodes(args),
    ),
    Rule(
        "XADD",
        "XTRIM",
        topic="trimming",
        text="trimming does not ask whether a group has read an entry: what is trimmed unread is lost to it",
        when=lambda args: _trims(args) and "acked" not in args,
    ),
    Rule(
        "XADD",
        "XTRIM",
        topic="trimming",
        text="with ACKED a group that nobody reads keeps every entry: the stream grows beyond its threshold",
        when=lambda args: _trims(args) and "acked" in args,
    ),
    Rule(
        "XADD",
        "XTRIM",
        "XDELEX",
        "XACKDEL",
        topic="pending",
        text="with DELREF an entry is taken off the list of whoever is working on it: nobody sees whether it was done",
        when=lambda args: "delref" in args and (_trims(args) or "numids" in args),
    ),
    Rule(
        "XADD",
        topic="trimming",
        text="KEEPREF, DELREF and ACKED do nothing where nothing is trimmed",
        when=lambda args: "numids" not in args and not _trims(args) and _references(args),
    ),
    Rule(
        "XADD",
        topic="ids",
        text="an ID of one's own must be greater than the stream's last one, ever: one late clock, and it fails",
        when=lambda args: args["id"].seq is not None,
    ),
    Rule(
        "XADD",
        topic="idempotency",
        text="a repeat that comes later than the stream remembers is added again: XCFGSET sets for how long that is",
        when=lambda args: "pid" in args or "idmpauto" in args,
    ),
    Rule(
        "XADD",
        topic="idempotency",
        text="two messages with the same fields are one to IDMPAUTO: what is meant twice needs a field that differs",
        when=_has("idmpauto"),
    ),
    Rule(
        "XCFGSET",
        topic="idempotency",
        text="a setting that changes forgets all messages at once: repeats of them are added again",
        when=_always,
    ),
    Rule(
        "XDELEX",
        "XACKDEL",
        topic="pending",
        text="what other groups have pending stays on their lists, a reference to nothing: see DELREF and ACKED",
        when=lambda args: "delref" not in args and "acked" not in args,
    ),
    Rule(
        "XDEL",
        topic="trimming",
        text="what is deleted while pending stays on the pending list, a reference to nothing, until XACK or a claim",
        when=_always,
    ),
    Rule(
        "XSETID",
        topic="ids",
        text="for replication and repair: a last ID set back gives out IDs that readers are past, and they miss those",
        when=_always,
    ),
    Rule(
        "DEL",
        topic="trimming",
        text="a long stream is freed at once, and a server stands still meanwhile: UNLINK frees it aside",
        when=_always,
    ),
    Rule(
        "KEYS",
        topic="reading",
        text="every key of the database is looked at while a server answers nobody else: SCAN goes in steps",
        when=_always,
    ),
    Rule(
        "XINFO STREAM",
        topic="pending",
        text="COUNT 0 answers with every entry and all that is pending: a small COUNT shows the shape",
        when=lambda args: args.get("count") == 0,
    ),
)
