"""A walk through redis-py's methods for streams and keys, the same on any client: what each call gave, in order.

IDs are given and no clock is read, so that two runs give the same. Follows the course of redis-py's streams notebook.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis

from tests.conformance.masks import NEWER_FIELDS


def walk(r: Any) -> list[tuple[str, Any]]:
    """Every call with its value, or the exception it raised."""
    seen: list[tuple[str, Any]] = []

    def note(name: str, call: Callable[[], Any]) -> None:
        try:
            seen.append((name, call()))
        except redis.RedisError as error:
            seen.append((name, error))

    for part in (_streams, _groups, _claims, _keys, _transactions, _mistakes):
        part(r, note)
    return seen


Note = Callable[[str, Callable[[], Any]], None]


def _streams(r: Any, note: Note) -> None:
    for at in range(1, 8):
        note("xadd", lambda at=at: r.xadd("s", {"v": at, "ts": "1657571033.1"}, id=f"{at}-0"))  # type: ignore[misc]
    note("xlen", lambda: r.xlen("s"))
    note("xread", lambda: r.xread({"s": "0"}, count=2, block=10))
    note("xread nothing", lambda: r.xread({"s": "$"}, block=10))
    note("xread two", lambda: r.xread({"s": 0, "t": 0}, count=1))
    note("xread last", lambda: r.xread({"s": "+"}))
    note("xrange", lambda: r.xrange("s", "2", "4"))
    note("xrevrange", lambda: r.xrevrange("s", count=2))
    note("xrange none", lambda: r.xrange("s", "(7-0", "+"))
    note("xadd maxlen", lambda: r.xadd("s", {"v": 8}, id="8-0", maxlen=6, approximate=False))
    note("xadd nomkstream", lambda: r.xadd("none", {"v": 1}, nomkstream=True))
    note("xtrim", lambda: r.xtrim("s", maxlen=5, approximate=False))
    note("xtrim minid", lambda: r.xtrim("s", minid="5-0", approximate=False))
    note("xdel", lambda: r.xdel("s", "6-0", "1-0"))
    note("xinfo stream", lambda: _without_nodes(r.xinfo_stream("s")))
    note("xinfo full", lambda: _without_nodes(r.xinfo_stream("s", full=True)))
    note("bytes", lambda: r.xadd("b", {b"\x01": "é"}, id="1-1"))
    note("bytes back", lambda: r.xrange("b"))


def _groups(r: Any, note: Note) -> None:
    note("create", lambda: r.xgroup_create("s", "g", id="0"))
    note("create again", lambda: r.xgroup_create("s", "g"))
    note("create mkstream", lambda: r.xgroup_create("new", "g", mkstream=True))
    note("consumer", lambda: r.xgroup_createconsumer("s", "g", "ann"))
    note("consumer again", lambda: r.xgroup_createconsumer("s", "g", "ann"))
    note("read", lambda: r.xreadgroup("g", "ann", {"s": ">"}, count=2))
    note("read rest", lambda: r.xreadgroup("g", "bob", {"s": ">"}, noack=False))
    note("read none", lambda: r.xreadgroup("g", "bob", {"s": ">"}, block=10))
    note("history", lambda: r.xreadgroup("g", "ann", {"s": "0"}))
    note("ack", lambda: r.xack("s", "g", "5-0"))
    note("pending", lambda: r.xpending("s", "g"))
    note("pending range", lambda: _column(r.xpending_range("s", "g", "-", "+", 10), "consumer"))
    note("groups", lambda: r.xinfo_groups("s"))
    note("consumers", lambda: _column(r.xinfo_consumers("s", "g"), "pending"))
    note("setid", lambda: r.xgroup_setid("s", "g", "0", entries_read=0))


def _claims(r: Any, note: Note) -> None:
    note("claim", lambda: r.xclaim("s", "g", "cid", 0, ["7-0", "9-0"]))
    note("claim ids", lambda: r.xclaim("s", "g", "cid", 0, ["7-0"], justid=True))
    note("autoclaim", lambda: r.xautoclaim("s", "g", "dan", 0, "0-0", count=1))
    note("autoclaim ids", lambda: r.xautoclaim("s", "g", "dan", 0, "0-0", justid=True))
    note("xdel", lambda: r.xdel("s", "8-0"))
    note("autoclaim deleted", lambda: r.xautoclaim("s", "g", "eve", 0))
    note("delconsumer", lambda: r.xgroup_delconsumer("s", "g", "dan"))
    note("destroy", lambda: r.xgroup_destroy("s", "g"))
    note("destroy again", lambda: r.xgroup_destroy("s", "g"))
    note("setid", lambda: r.execute_command("XSETID", "s", "20-0"))


def _keys(r: Any, note: Note) -> None:
    note("set", lambda: r.set("k", "v", ex=100))
    note("set nx", lambda: r.set("k", "w", nx=True))
    note("get", lambda: r.get("k"))
    note("get none", lambda: r.get("none"))
    note("type", lambda: (r.type("k"), r.type("s"), r.type("none")))
    note("exists", lambda: r.exists("k", "s", "none"))
    note("ttl", lambda: r.ttl("k") > 90)
    note("persist", lambda: r.persist("k"))
    note("rename", lambda: r.rename("k", "k2"))
    note("keys", lambda: sorted(r.keys("*")))
    note("scan_iter", lambda: sorted(r.scan_iter(match="*", count=2)))
    note("copy", lambda: r.copy("s", "s2"))
    note("delete", lambda: r.delete("k2", "s2"))
    note("ping", r.ping)
    note("echo", lambda: r.echo("é"))
    note("setname", lambda: r.client_setname("me"))
    note("getname", r.client_getname)
    note("dbsize", r.dbsize)
    note("config", lambda: r.config_get("stream-node-max-entries"))
    note("command", lambda: sorted(r.command_getkeys("XREAD", "STREAMS", "a", "b", "0", "0")))


def _transactions(r: Any, note: Note) -> None:
    with r.pipeline() as pipe:
        pipe.xadd("p", {"a": 1}, id="1-1").xlen("p").xrange("p")
        note("pipeline", pipe.execute)
    with r.pipeline(transaction=False) as pipe:
        pipe.xadd("p", {"a": 1}, id="1-2").set("e", "x").xlen("e").get("e")
        note("errors among replies", lambda: pipe.execute(raise_on_error=False))
    with r.pipeline() as pipe:
        pipe.set("q", "x").xlen("q").get("q")
        note("errors in a transaction", lambda: pipe.execute(raise_on_error=False))
    with r.pipeline() as pipe:
        pipe.xlen("q").ping()
        note("raised", pipe.execute)
    with r.pipeline() as pipe:
        pipe.execute_command("NOSUCH", "a")
        pipe.ping()
        note("refused", pipe.execute)
    with r.pipeline() as pipe:
        pipe.watch("q")
        note("watching", lambda: pipe.get("q"))
        r.set("q", "y")
        pipe.multi()
        pipe.set("q", "z")
        note("changed meanwhile", pipe.execute)
    note("transaction", lambda: r.transaction(lambda pipe: (pipe.multi(), pipe.set("q", "1"), pipe.get("q")), "q"))
    with r.pipeline(transaction=False) as pipe:
        pipe.xread({"p": "$"}, block=5).xlen("p").xread({"p": "0"}, block=5).xlen("p")
        note("a wait in a pipeline", pipe.execute)
    note("empty", r.pipeline().execute)


def _mistakes(r: Any, note: Note) -> None:
    note("wrong type", lambda: r.xadd("q", {"a": 1}))
    note("wrong id", lambda: r.xadd("p", {"a": 1}, id="0-0"))
    note("small id", lambda: r.xadd("p", {"a": 1}, id="1-1"))
    note("no fields", lambda: r.xadd("p", {}))
    note("no group", lambda: r.xreadgroup("none", "c", {"p": ">"}))
    note("no key", lambda: r.xinfo_stream("none"))
    note("unknown", lambda: r.execute_command("NOSUCH", "a", "b"))
    note("arity", lambda: r.execute_command("XLEN"))
    note("no word", lambda: r.xadd("p", {"a": None}))
    note("no count", lambda: r.xread({"p": 0}, count=0))
    note("select", lambda: r.select(99))
    note("auth", lambda: r.execute_command("AUTH", "x"))
    note("wrongpass", lambda: r.execute_command("AUTH", "x", "y"))


def _without_nodes(info: dict[Any, Any]) -> dict[Any, Any]:
    """Redis does not promise how many radix tree nodes there are; what 8.0 does not tell is left out, in groups too."""
    gone = {b"radix-tree-nodes", *NEWER_FIELDS}
    kept: dict[Any, Any] = {}
    for name, value in info.items():
        if (name if isinstance(name, bytes) else name.encode()) in gone:
            continue
        rows = isinstance(value, list) and all(isinstance(row, dict) for row in value)
        kept[name] = [_without_nodes(row) for row in value] if rows else value
    return kept


def _column(rows: list[dict[Any, Any]], *names: str) -> list[Any]:
    """What of each row does not depend on the clock."""
    return [[row[name] for name in names] for row in rows]
