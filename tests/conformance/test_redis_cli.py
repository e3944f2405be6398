"""`classic` and `raw` print every recorded reply as redis-cli does, to the character.

What redis-cli 8.0 printed for a recording is kept as one digest; with a redis-cli at hand (`make servers`) each reply
is compared. To record: `python -m tests.conformance.test_redis_cli`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from streamcli.grammar.parse import parse
from streamcli.render import Options, renderer
from streamcli.resp import Reader
from streamcli.words import argv
from tests.conformance import script
from tests.unit.test_render_redis_cli import printed, redis_cli

DIGESTS: Final = Path(__file__).with_name("recordings") / "redis-cli.json"
FORMATS: Final = ("classic", "raw")
_CASES = [(name, protocol, format) for name in script.names() for protocol in (2, 3) for format in FORMATS]
_MASKS: Final = (  # a mask stands where a value was that no two runs agree on: any value will do here
    (re.compile(r"\*<\w+>\r\n"), "*1\r\n+some\r\n"),
    (re.compile(r"\$<\w+>\r\n"), "$15\r\n1526984818136-0\r\n"),
    (re.compile(r":<\w+>\r\n"), ":7\r\n"),
)


def _replies(name: str, protocol: int) -> Iterator[tuple[list[bytes], bytes]]:
    """Each command of a script, and its recorded reply as wire bytes. Pages of text have a look of their own."""
    for command, recorded in script.recording(name, protocol):
        wire = recorded
        words = argv(re.sub(r"^(\d+ |@\w+ )+", "", command).encode("latin-1"))
        for mask, value in _MASKS:
            wire = mask.sub(value, wire)
        if words and words[0].upper() not in (b"INFO", b"CLIENT"):
            yield words, wire.encode("latin-1")


def _ours(words: list[bytes], wire: bytes, format: str) -> bytes:
    reader = Reader()
    reader.feed(wire)
    (reply,) = reader
    chunks = renderer(format)(reply, parse(words), Options())
    return "".join(f"{chunk}\n" for chunk in chunks).encode("utf-8", "surrogateescape")


def _digest(outputs: list[bytes]) -> str:
    return hashlib.sha256(b"\0".join(outputs)).hexdigest()


@pytest.mark.parametrize(("name", "protocol", "format"), _CASES)
def test_every_recorded_reply_is_printed_as_redis_cli_prints_it(name: str, protocol: int, format: str) -> None:
    replies = list(_replies(name, protocol))
    ours = [_ours(words, wire, format) for words, wire in replies]
    command = redis_cli()
    if command:
        theirs = printed(command, protocol, format, [wire for _, wire in replies])
        for (words, _), mine, other in zip(replies, ours, theirs, strict=True):
            assert (words, mine) == (words, other)
    assert _digest(ours) == json.loads(DIGESTS.read_text())[f"{name} {protocol} {format}"]


def record() -> None:
    """Keep the digest of what redis-cli prints for each recording."""
    command = redis_cli()
    digests = {
        f"{name} {protocol} {format}": _digest(
            printed(command, protocol, format, [wire for _, wire in _replies(name, protocol)])
        )
        for name, protocol, format in _CASES
    }
    DIGESTS.write_text(json.dumps(digests, indent=1) + "\n")


if __name__ == "__main__":
    record()
