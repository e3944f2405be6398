"""What a colleague would say over your shoulder: cautions about a command that is right as far as Redis goes.

Each is a function of the parsed command, registered for the commands it is
about, with the help topic that explains it. Knows nothing of data or servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamcli.grammar.foreign import Foreign
from streamcli.grammar.parse import Call
from streamcli.grammar.types import LAST, NEW, TOP
from streamcli.ids import MAX_ID, StreamID
from streamcli.shell.cautions_of_writing import WRITING
from streamcli.shell.rules import Caution, Rule, always, has

_QUIET_MS = 100  # how often a quiet server looks whose time is over
_SECONDS = range(10**9, 10**10)  # what a Unix time in seconds is like, for centuries


def cautions(call: Call) -> list[Caution]:
    """What there is to say about a command, in the order of RULES; nothing about one with a problem."""
    if call.command is None or call.problems or isinstance(call.command, Foreign):
        return []
    name, args = call.command.name, call.args
    return [rule.caution for rule in RULES if name in rule.names and rule.when(args)]


def _history(args: Mapping[str, Any]) -> bool:
    """Does XREADGROUP ask for pending entries, which are always answered at once?"""
    return "group" in args and any(id is not NEW for id in args["id"])


def _in_seconds(args: Mapping[str, Any]) -> bool:
    """Is a time in seconds given where an ID has milliseconds?"""
    given = [*(args.get(name) for name in ("minid", "start", "end")), *_listed(args.get("id"))]
    return any(isinstance(id, StreamID) and id.ms in _SECONDS for id in given)


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _split(args: Mapping[str, Any]) -> bool:
    """Are there keys that a cluster may have in different slots?"""
    keys = [key for name in ("key", "newkey", "source", "destination") for key in _listed(args.get(name)) if key]
    return len(set(map(_hash_tag, keys))) > 1


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
        when=lambda args: (args.get("count") or 0) <= 0 and any(id == (0, 0) for id in args["id"]),
    ),
    Rule(
        "XREAD",
        topic="reading",
        text="+ gives the last entry in every call: begin with +, then go on from the ID that came",
        when=lambda args: TOP in args["id"],
    ),
    Rule(
        "XRANGE",
        "XREVRANGE",
        topic="reading",
        text="a COUNT of 0 or less answers nil here: it is no limit in XREAD alone",
        when=lambda args: args.get("count", 1) <= 0,
    ),
    Rule(
        *("XADD", "XTRIM", "XRANGE", "XREVRANGE", "XREAD", "XREADGROUP", "XPENDING", "XAUTOCLAIM"),
        *("XGROUP CREATE", "XGROUP SETID"),
        topic="ids",
        text="a time in seconds? IDs begin with milliseconds, so that this one lies in 1970",
        when=_in_seconds,
    ),
    Rule(
        "XRANGE",
        "XREVRANGE",
        topic="ids",
        text="nothing lies between these: XRANGE names the smaller ID first, XREVRANGE the greater",
        when=lambda args: isinstance(args["start"], tuple) and args["start"] > args["end"],
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
        topic="blocking",
        text="a quiet server looks whose time is over ten times a second: so short a BLOCK may last a tenth",
        when=lambda args: 0 < args.get("block", 0) < _QUIET_MS and not _history(args),
    ),
    Rule(
        "MULTI",
        topic="blocking",
        text="BLOCK does not wait between MULTI and EXEC: when there is nothing, nil comes at once",
        when=always,
    ),
    Rule(
        "XREAD",
        "XREADGROUP",
        topic="cluster",
        text="in a cluster these streams must be in one slot: give their names a common {hash tag}",
        when=_split,
    ),
    Rule(
        *("RENAME", "RENAMENX", "COPY", "DEL", "UNLINK", "EXISTS", "TOUCH", "WATCH"),
        topic="cluster",
        text="in a cluster these keys must be in one slot: give their names a common {hash tag}",
        when=_split,
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
        topic="groups",
        text="without COUNT the first to ask takes all that is new, and the others have nothing to do",
        when=lambda args: NEW in args["id"] and (args.get("count") or 0) <= 0 and "maxcount" not in args,
    ),
    Rule(
        "XREADGROUP",
        topic="pending",
        text="to read history counts as a delivery, and sets the idle time back to 0: XPENDING only looks",
        when=_history,
    ),
    Rule(
        "XACK",
        topic="pending",
        text="0 is no error: the ID is not pending, or the key or the group is misspelt",
        when=always,
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
        text="with 0 the group is handed all that the stream holds, old entries too; $ begins with the next one",
        when=lambda args: args["id"] == (0, 0) and "mkstream" not in args,
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
        when=always,
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
        "XGROUP SETID",
        "XGROUP CREATE",
        topic="lag",
        text="ENTRIESREAD is believed: with a wrong number the group's lag is wrong",
        when=lambda args: args.get("entriesread", -1) >= 0,
    ),
    Rule(
        "XGROUP DESTROY",
        topic="groups",
        text="its pending entries are forgotten with it: nobody will know what was delivered and not done",
        when=always,
    ),
    Rule(
        "XGROUP DELCONSUMER",
        topic="pending",
        text="its pending entries are forgotten, not given to others: claim them first, with XAUTOCLAIM",
        when=always,
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
        when=has("silent"),
    ),
    Rule(
        "XNACK",
        topic="claiming",
        text="any consumer may get it at once, also while somebody works on it: release only what you hold",
        when=always,
    ),
    Rule(
        "XCLAIM",
        "XNACK",
        topic="claiming",
        text="FORCE makes pending what the group has never delivered, or what was acknowledged long ago",
        when=has("force"),
    ),
    Rule(
        "XCLAIM",
        "XAUTOCLAIM",
        topic="claiming",
        text="with JUSTID the delivery count does not grow: an entry that kills its consumers is never noticed by it",
        when=has("justid"),
    ),
    Rule(
        "XCLAIM",
        topic="groups",
        text="LASTID moves the group on: what lies up to there and was not read yet is never delivered by >",
        when=has("lastid"),
    ),
    Rule(
        "XAUTOCLAIM",
        topic="claiming",
        text="the reply has no deliveries: find what fails again and again by XPENDING, or it goes round for ever",
        when=lambda args: "justid" not in args,
    ),
    Rule(
        "XAUTOCLAIM",
        topic="claiming",
        text="one call looks at some of the pending entries only: go on from the ID it answers with, until that is 0-0",
        when=always,
    ),
    *WRITING,
)
