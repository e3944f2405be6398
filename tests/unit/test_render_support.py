"""What the tests of `render` share: a stand-in for a Call, and replies as wire bytes."""

from __future__ import annotations

from collections.abc import Sequence

from streamcli.render import Options, renderer
from streamcli.render.raw import double_text
from streamcli.reply import Error, Map, Nil, Push, Reply, Set, Simple, Verbatim


class Named:
    def __init__(self, name: str) -> None:
        self.name = name


class Asked:
    """A call of a command of the table, as far as `render` looks at one."""

    def __init__(self, name: str, queued: Sequence[Asked] = (), **args: object) -> None:
        self.command = Named(name)
        self.args: dict[str, object] = dict(args)
        self.argv = tuple(word.encode() for word in name.split())
        self.queued = list(queued)


class Unknown:
    """A call of a command that no table knows."""

    def __init__(self, *argv: bytes) -> None:
        self.command = None
        self.args: dict[str, object] = {}
        self.argv = argv


def show(format: str, reply: Reply, call: Asked | Unknown | None = None, options: Options = Options()) -> str:  # noqa: B008
    """Everything a renderer says, each chunk with its newline."""
    return "".join([chunk + "\n" for chunk in renderer(format)(reply, call, options)])


def entry(id: str, *words: str | bytes) -> list[Reply]:
    return [id.encode(), [word.encode() if isinstance(word, str) else word for word in words]]


def encode(reply: Reply, protocol: int) -> bytes:
    """A reply on the wire of RESP2 or RESP3."""
    three = protocol == 3
    if isinstance(reply, bytes):
        return b"$%d\r\n%s\r\n" % (len(reply), reply)
    if isinstance(reply, bool):
        return (b"#t\r\n" if reply else b"#f\r\n") if three else b":%d\r\n" % reply
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, float):
        text = double_text(reply).encode()
        return b",%s\r\n" % text if three else encode(text, 2)
    if isinstance(reply, (Simple, Error)):
        mark = b"+" if isinstance(reply, Simple) else b"-"
        return mark + reply.text.encode("utf-8", "surrogateescape") + b"\r\n"
    if isinstance(reply, Verbatim):
        if not three:
            return encode(reply.data, 2)
        return b"=%d\r\n%s:%s\r\n" % (len(reply.data) + 4, reply.kind.encode(), reply.data)
    if reply is None or isinstance(reply, Nil):
        return b"_\r\n" if three else b"$-1\r\n" if reply is None else b"*-1\r\n"
    if isinstance(reply, Map):
        words = b"".join([encode(part, protocol) for pair in reply for part in pair])
        return (b"%%%d\r\n" % len(reply) if three else b"*%d\r\n" % (2 * len(reply))) + words
    items = reply.items if isinstance(reply, (Set, Push)) else reply
    mark = b"~" if isinstance(reply, Set) else b">" if isinstance(reply, Push) else b"*"
    return (mark if three else b"*") + b"%d\r\n" % len(items) + b"".join([encode(item, protocol) for item in items])
