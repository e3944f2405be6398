"""Cautions about what writes entries, removes them, or takes the place of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamcli.shell.rules import Rule, always, has

_NODE_ENTRIES = 100  # stream-node-max-entries, unless somebody has set it
_FAR_MS = 10**13  # in the year 2286: most likely micro- or nanoseconds


def _trims(args: Mapping[str, Any]) -> bool:
    return "maxlen" in args or "minid" in args


def _by_nodes(args: Mapping[str, Any]) -> bool:
    """Is it trimmed by whole nodes, or could it not be? (With DELREF and ACKED even `~` looks into them.)"""
    about = (args.get("maxlen_mark") or args.get("minid_mark")) == "~"
    return about or "delref" in args or "acked" in args


def _by_nodes_only(args: Mapping[str, Any]) -> bool:
    return "delref" not in args and "acked" not in args


def _references(args: Mapping[str, Any]) -> bool:
    return "keepref" in args or "delref" in args or "acked" in args


WRITING = (
    Rule(
        "XADD",
        "XTRIM",
        topic="trimming",
        text="a LIMIT below the entries of one node (100, unless they are large) removes nothing at all",
        when=lambda args: 0 < (args.get("limit") or 0) < _NODE_ENTRIES,
    ),
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
        when=lambda args: _trims(args) and not _by_nodes(args) and args.get("maxlen") != 0,
    ),
    Rule(
        "XADD",
        "XTRIM",
        topic="trimming",
        text="MAXLEN 0 takes every entry; the key, its groups and its last ID stay: DEL forgets all of it",
        when=lambda args: args.get("maxlen") == 0 and "acked" not in args,
    ),
    Rule(
        "XADD",
        "XTRIM",
        topic="trimming",
        text="~ goes by nodes, of 100 entries unless they are large: for so low a number it is not near",
        when=lambda args: (
            args.get("maxlen_mark") == "~" and 0 < args["maxlen"] < _NODE_ENTRIES and _by_nodes_only(args)
        ),
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
        "XSETID",
        topic="ids",
        text="a time so far ahead stays: each later * counts on behind it, and nothing smaller is taken any more",
        when=lambda args: (args.get("id", args.get("last_id")).ms or 0) >= _FAR_MS,
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
        when=has("idmpauto"),
    ),
    Rule(
        "XCFGSET",
        topic="idempotency",
        text="a setting that changes forgets all messages at once: repeats of them are added again",
        when=always,
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
        when=always,
    ),
    Rule(
        "XDEL",
        topic="trimming",
        text="the room comes back only when all of a node is deleted: to keep a stream short, trim it",
        when=always,
    ),
    Rule(
        "XDEL",
        "XDELEX",
        topic="lag",
        text="what is deleted ahead of a group makes its lag unknown, until it has read to the end",
        when=lambda args: "acked" not in args,
    ),
    Rule(
        "XSETID",
        topic="ids",
        text="for replication and repair: a last ID set back gives out IDs that readers are past, and they miss those",
        when=always,
    ),
    Rule(
        "DEL",
        topic="trimming",
        text="a long stream is freed at once, and a server stands still meanwhile: UNLINK frees it aside",
        when=always,
    ),
    Rule(
        *("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"),
        topic="trimming",
        text="the whole stream goes then, with its groups: MINID takes only the entries that are too old",
        when=always,
    ),
    Rule(
        "SET",
        topic="streams",
        text="a stream of that name is replaced without an error, groups and all: NX leaves it alone",
        when=lambda args: "nx" not in args and "get" not in args,
    ),
    Rule(
        "EXEC",
        topic="claiming",
        text="a command that fails in there undoes nothing: the others are done, so look at each reply",
        when=always,
    ),
    Rule(
        "KEYS",
        topic="reading",
        text="every key of the database is looked at while a server answers nobody else: SCAN goes in steps",
        when=always,
    ),
    Rule(
        "XINFO STREAM",
        topic="pending",
        text="COUNT 0 answers with every entry and all that is pending: a small COUNT shows the shape",
        when=lambda args: args.get("count") == 0,
    ),
    Rule(
        "FLUSHDB",
        "FLUSHALL",
        topic="trimming",
        text="streams, groups and all that is pending go at once, and there is no way back",
        when=always,
    ),
)
