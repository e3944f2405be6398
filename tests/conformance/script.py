"""Scripts of commands, and the recordings of what a real server answered to them.

A script is a file of lines as they would be typed into redis-cli: words in its quoting, `#` starts a comment line,
a leading number repeats the command, as redis-cli has it too (`100 XADD k 0-* f v`). One thing is added: `@name`
in front sends the line over a second connection of that name.

A recording is one JSON pair a line: the command line as written, and the reply's wire bytes as Latin-1 text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.conformance.sides import Side
from tests.conformance.wire import Argv

SCRIPTS: Final = Path(__file__).with_name("scripts")
RECORDINGS: Final = Path(__file__).with_name("recordings")
_WORD = re.compile(rb"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']+))(?=\s|$)""", re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}


class Step(NamedTuple):
    """One command of a script, and where it stands."""

    line: int
    text: str
    who: str
    argv: Argv


def names() -> list[str]:
    """The scripts there are, by file name without its ending."""
    return sorted(path.stem for path in SCRIPTS.glob("*.redis"))


def steps(name: str) -> list[Step]:
    """A script's commands in order, repeats written out."""
    lines = (SCRIPTS / f"{name}.redis").read_bytes().split(b"\n")
    return [step for number, line in enumerate(lines, 1) for step in _steps_of(number, line.strip())]


def _steps_of(number: int, line: bytes) -> Iterator[Step]:
    if not line or line.startswith(b"#"):
        return
    argv, who, times = words(line), "", 1
    if argv[0].startswith(b"@"):
        who = argv.pop(0).decode()
    if argv[0].isdigit():
        times = int(argv.pop(0))
    for _ in range(times):
        yield Step(number, line.decode("latin-1"), who, argv)


def words(line: bytes) -> list[bytes]:
    """The words of a line in redis-cli's quoting; ValueError when a quote is left open."""
    found, at = [], 0
    while line[at:].strip():
        match = _WORD.match(line, at)
        if match is None:
            raise ValueError(f"no word at column {at + 1}: {line!r}")
        double, single, bare = match.groups()
        if double is not None:
            found.append(_ESCAPE.sub(_unescaped, double))
        else:
            found.append(bare if bare is not None else single.replace(rb"\'", b"'"))
        at = match.end()
    return found


def _unescaped(match: re.Match[bytes]) -> bytes:
    code, char = match.groups()
    return bytes([int(code, 16)]) if code else _CONTROL.get(char, char)


def play(name: str, side: Side) -> list[tuple[str, str]]:
    """Every command of the script with its reply, as a recording holds them."""
    return [(step.text, side.call(step.argv, step.who).decode("latin-1")) for step in steps(name)]


def recording(name: str, protocol: int) -> list[tuple[str, str]]:
    with (RECORDINGS / f"{name}.resp{protocol}").open(encoding="utf-8") as lines:
        return [(command, reply) for command, reply in map(json.loads, lines)]


def write_recording(name: str, protocol: int, replies: list[tuple[str, str]]) -> None:
    lines = "".join(json.dumps(pair, ensure_ascii=True) + "\n" for pair in replies)
    (RECORDINGS / f"{name}.resp{protocol}").write_text(lines, encoding="utf-8")


def differences(expected: list[tuple[str, str]], found: list[tuple[str, str]]) -> list[str]:
    """A readable paragraph for each reply that is not as recorded; an empty list when all are."""
    told = []
    for at, (want, got) in enumerate(zip(expected, found, strict=False)):
        if want[0] != got[0]:
            told.append(f"reply {at + 1}: recorded for {want[0]!r}, but the script says {got[0]!r}: record it again")
            break
        if want[1] != got[1]:
            told.append(f"{want[0]}\n    recorded {want[1]!r}\n    found    {got[1]!r}")
    if len(expected) != len(found) and not told:
        told.append(f"{len(expected)} replies recorded, {len(found)} found: record it again")
    return told
