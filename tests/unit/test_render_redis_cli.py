"""`classic` and `raw` print what redis-cli prints: recorded from 8.0.6, and compared live where there is one.

A fake server answers PING after PING with prepared replies. To record again:
`STREAMCLI_REDIS_CLI="path/to/redis-cli" python -m tests.unit.test_render_redis_cli`
(a redis-cli older than 8 aborts on some of the replies and is not asked).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from random import Random

import pytest

from streamcli.render import Options
from streamcli.reply import NIL_ARRAY, Error, Map, Push, Reply, Set, Simple, Verbatim
from tests.conformance.live import unpacked
from tests.unit.test_render_support import Asked, Unknown, encode, entry, show

RECORDING = Path(__file__).parent / "fixtures" / "redis_cli_output.json"
HOW_MANY = 160
BYTES = [b"", b"city", b'q"uo\\te', b"\x00\x07\x08\t\n\r\x1b\x7f", "Wörter 日本".encode(), b"\xff\x80", b"a b", b"'"]
TEXTS = ["OK", "", "two words", "nul\0here", "\udcff", "tab\there"]
NUMBERS = [0, 1, -1, 9, 2**63 - 1, -(2**63)]
DOUBLES = [0.0, -0.0, 1.5, 3.0, 1e100, -1e-9, float("inf"), float("-inf"), 0.1]
_SLOW = re.compile(rb"^\(\d+\.\d\ds\)\n", re.MULTILINE)  # redis-cli says so when an answer took half a second
MODES = [(2, "classic"), (3, "classic"), (2, "raw"), (3, "raw")]
HELLO = b"%1\r\n$7\r\nversion\r\n$5\r\n8.0.6\r\n"


class Chooser:
    """Choices from `Random.random` alone, which Python promises never to change."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random

    def below(self, end: int) -> int:
        return int(self._random() * end)

    def reply(self, depth: int) -> Reply:
        kind = self.below(11 if depth else 7)
        if kind == 0:
            return Simple(TEXTS[self.below(len(TEXTS))])
        if kind == 1:
            return Error("ERR " + TEXTS[self.below(len(TEXTS))])
        if kind == 2:
            return NUMBERS[self.below(len(NUMBERS))]
        if kind == 3:
            rest: list[Reply] = [None, NIL_ARRAY, True, False, Verbatim("txt", b"two\nlines"), Verbatim("mkd", b"")]
            return rest[self.below(len(rest))]
        if kind == 4:
            return DOUBLES[self.below(len(DOUBLES))]
        if kind < 7:
            return BYTES[self.below(len(BYTES))]
        count = (0, 1, 1, 2, 3, 4, 10, 11)[self.below(8)]
        if kind == 7:
            return Map([(self.reply(depth - 1), self.reply(depth - 1)) for _ in range(count)])
        items = [self.reply(depth - 1) for _ in range(count)]
        if kind == 8 and depth < 3:
            return Set(items) if count % 2 else Push(items)
        return items


def replies() -> list[Reply]:
    chooser = Chooser(20180522)
    random = [chooser.reply(3) for _ in range(HOW_MANY)]
    made: list[Reply] = [
        [[b"s", [entry("1-1", "a", "1"), entry("2-1", *["f", "100% \x01"] * 6)]], [b"t", []]],
        Map([(b"s", [entry("1-1", "a", "1")]), (b"s", [entry("1-2", "a", "1", "b", "\\")])]),
        Map([(b"one", Map([(b"k", 1)])), (b"two", Map([(b"k", 1), (b"l", [])])), (b"three", Set([[1, 2]]))]),
        [[[[[b"deep"]]]], *range(100)],
        list(map(str.encode, map(str, range(300)))),
    ]
    # A push on its own is not an answer, and redis-cli waits on.
    return made + [Set(reply.items) if isinstance(reply, Push) else reply for reply in random]


def redis_cli() -> list[str]:
    """A redis-cli of 8 or later to run; empty when there is none."""
    named = shlex.split(os.environ.get("STREAMCLI_REDIS_CLI", ""))
    command = named or unpacked("redis-cli") or [shutil.which("redis-cli") or ""]
    if not command[0]:
        return []
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False).stdout.split()
    return command if len(version) > 1 and int(version[1].split(".")[0]) >= 8 else []


def printed(command: list[str], protocol: int, format: str, wires: list[bytes]) -> list[bytes]:
    """What redis-cli prints for each reply, a mark being printed after each."""
    mark = b"=== the end of one ==="
    answers = [wire for reply in wires for wire in (reply, b"+%s\r\n" % mark)]

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as asked:
            left = iter(answers)
            while line := asked.readline():
                words = []
                for _ in range(int(line[1:])):
                    asked.readline()
                    words.append(asked.readline().strip().upper())
                connection.sendall(HELLO if words[0] == b"HELLO" else next(left))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        flags = ["-p", str(listener.getsockname()[1]), "--no-raw" if format == "classic" else "--raw"]
        flags += ["-3"] if protocol == 3 else []
        lines = b"PING\n" * len(answers)
        output = subprocess.run([*command, *flags], input=lines, capture_output=True, check=True, timeout=60).stdout
        server.join(timeout=10)
    parts = [_SLOW.sub(b"", part) for part in output.split(mark + b"\n")]
    assert parts.pop() == b""
    return parts


def in_protocol(reply: Reply, protocol: int) -> Reply:
    """What a reader of that protocol makes of the reply."""
    if isinstance(reply, list):
        return [in_protocol(item, protocol) for item in reply]
    if protocol == 3:
        if isinstance(reply, Map):
            return Map([(in_protocol(key, 3), in_protocol(value, 3)) for key, value in reply])
        return reply
    if isinstance(reply, bool):
        return int(reply)
    if isinstance(reply, float):
        return encode(reply, 2).split(b"\r\n")[1]
    if isinstance(reply, Verbatim):
        return reply.data
    if isinstance(reply, Map):
        return [in_protocol(part, 2) for pair in reply for part in pair]
    if isinstance(reply, (Set, Push)):
        return [in_protocol(item, 2) for item in reply.items]
    return reply


def ours(reply: Reply, protocol: int, format: str) -> bytes:
    return show(format, in_protocol(reply, protocol)).encode("utf-8", "surrogateescape")


def test_we_print_what_redis_cli_was_recorded_to_print() -> None:
    recorded = json.loads(RECORDING.read_text())
    for reply, (wire, *texts) in zip(replies(), recorded, strict=True):
        assert encode(reply, 3) == wire.encode("latin-1")
        for (protocol, format), text in zip(MODES, texts, strict=True):
            assert ours(reply, protocol, format) == text.encode("latin-1")


@pytest.mark.parametrize(("protocol", "format"), MODES)
def test_the_redis_cli_of_this_machine_prints_what_we_print(protocol: int, format: str) -> None:
    command = redis_cli()
    wires = [encode(reply, protocol) for reply in replies()]
    if command:
        theirs = printed(command, protocol, format, wires)
    else:
        at = MODES.index((protocol, format)) + 1
        theirs = [one[at].encode("latin-1") for one in json.loads(RECORDING.read_text())]
    for reply, text in zip(replies(), theirs, strict=True):
        assert ours(reply, protocol, format) == text


def test_a_page_of_text_such_as_info_is_printed_as_it_is() -> None:
    page = b"# Server\r\nredis_version:8.0.6\r\n"
    for format in ("classic", "raw"):
        assert show(format, page, Asked("INFO")) == "# Server\r\nredis_version:8.0.6\r\n"
        assert show(format, Verbatim("txt", page), Asked("INFO")) == "# Server\r\nredis_version:8.0.6\r\n"
        assert show(format, b"id=3\n", Asked("CLIENT LIST")) == "id=3\n"
        assert show(format, Error("ERR no"), Asked("INFO")) == "ERR no\n"
    assert show("classic", Error("ERR no"), Unknown(b"latency", b"graph", b"fork")) == "ERR no\n"
    assert show("classic", Error("ERR no"), Unknown(b"cluster", b"info", b"x")) == "(error) ERR no\n"
    assert show("classic", b"id=3\n", Asked("CLIENT GETNAME")) == '"id=3\\n"\n'


def test_on_a_terminal_raw_and_classic_carry_no_control_characters() -> None:
    terminal = Options(terminal=True)
    steering = b"a\x1b[2Jb\xc2\x9b\xe2\x80\xae\xffc\td\r\ne"
    safe = "a\\x1b[2Jb\\xc2\\x9b\\xe2\\x80\\xae\\xffc\\td\ne\n"
    assert show("raw", steering, None, terminal) == safe
    assert show("raw", [1, steering], None, terminal) == "1\n" + safe
    assert show("classic", Verbatim("txt", steering), None, terminal) == safe
    assert show("classic", Error("ERR \x1b[2J"), None, terminal) == "(error) ERR \\x1b[2J\n"
    assert show("raw", steering) == steering.decode("utf-8", "surrogateescape") + "\n"


def record() -> None:
    """Write what the redis-cli of this machine prints to the fixture."""
    outputs = [printed(redis_cli(), protocol, f, [encode(r, protocol) for r in replies()]) for protocol, f in MODES]
    recorded = [
        json.dumps([encode(reply, 3).decode("latin-1"), *[text.decode("latin-1") for text in texts]])
        for reply, *texts in zip(replies(), *outputs, strict=True)
    ]
    RECORDING.parent.mkdir(exist_ok=True)
    RECORDING.write_text("[\n" + ",\n".join(recorded) + "\n]\n")


if __name__ == "__main__":
    record()
