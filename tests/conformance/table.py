"""What a real server says of its commands, reduced to what the table can be held to: COMMAND INFO and COMMAND DOCS.

Recorded as JSON, one command a line: arity, flags, since, and every token with the version that brought it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.conformance.live import Server
from tests.conformance.wire import Aggregate, Node, integer, text

FILE: Final = Path(__file__).with_name("recordings") / "commands.jsonl"
_NAMES: Final = """
    xack xadd xautoclaim xclaim xdel xgroup xinfo xlen xpending xrange xread xreadgroup xrevrange xsetid xtrim
    del unlink exists type keys scan rename renamenx copy move expire pexpire expireat pexpireat ttl pttl expiretime
    pexpiretime persist dbsize flushdb flushall select swapdb randomkey touch object dump restore set get getdel strlen
    multi exec discard watch unwatch ping echo hello auth client reset quit info time command config memory debug
    monitor shutdown
"""
NAMES: Final = _NAMES.split()


class Known(NamedTuple):
    """One command or subcommand; `tokens` maps each keyword to its own `since`, or to an empty text."""

    name: str
    arity: int
    flags: list[str]
    since: str
    tokens: dict[str, str]


def record(server: Server) -> None:
    FILE.write_text("".join(json.dumps(one) + "\n" for one in ask(server)), encoding="utf-8")


def ask(server: Server) -> list[Known]:
    connection = server.connect(protocol=3)
    infos: dict[str, tuple[int, list[str]]] = {}
    docs: dict[str, Any] = {}
    for name in NAMES:
        info = connection.call([b"COMMAND", b"INFO", name.encode()])
        assert isinstance(info, Aggregate)
        _read_info(info.items[0], infos)
        docs |= _plain(connection.call([b"COMMAND", b"DOCS", name.encode()]))
    connection.close()
    return sorted(one for name, entry in docs.items() for one in _commands(name, entry, infos))


def read() -> dict[str, Known]:
    """By upper-case name, a subcommand after a space."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return {known.name: known for known in (Known(*json.loads(line)) for line in lines)}


def _read_info(node: Node, infos: dict[str, tuple[int, list[str]]]) -> None:
    assert isinstance(node, Aggregate)
    name, arity, flags = node.items[:3]
    assert isinstance(flags, Aggregate)
    infos[text(name).decode()] = (integer(arity) or 0, sorted(text(flag).decode() for flag in flags.items))
    subcommands = node.items[9]
    if isinstance(subcommands, Aggregate):
        for inner in subcommands.items:
            _read_info(inner, infos)


def _plain(node: Node) -> Any:
    if not isinstance(node, Aggregate):
        return integer(node) if integer(node) is not None else text(node).decode()
    if node.head[:1] == b"%":
        return {name.decode(): _plain(node.items[at]) for name, at in node.fields()}
    return [_plain(item) for item in node.items]


def _commands(name: str, docs: dict[str, Any], infos: dict[str, tuple[int, list[str]]]) -> list[Known]:
    arity, flags = infos[name]
    tokens: dict[str, str] = {}
    for argument in docs.get("arguments", []):
        _tokens(argument, "", tokens)
    title = name.upper().replace("|", " ")
    found = [Known(title, arity, flags, docs["since"], tokens)]
    for inner, entry in docs.get("subcommands", {}).items():
        found += _commands(inner, entry, infos)
    return found


def _tokens(argument: dict[str, Any], since: str, tokens: dict[str, str]) -> None:
    since = argument.get("since", since)
    if "token" in argument:
        tokens[argument["token"]] = since
    for inner in argument.get("arguments", []):
        _tokens(inner, since, tokens)
