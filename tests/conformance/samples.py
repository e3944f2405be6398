"""A few random sequences with the replies of a real server, kept so that they are run where there is no server.

One file holds them all, compressed: JSON lines, one a sequence, with the log itself, so that a change of the
generators does not make the recording worthless. `make servers` and `tests.conformance.fuzz` go further.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.conformance.generators import KINDS
from tests.conformance.live import Server
from tests.conformance.sides import Live
from tests.conformance.wire import Argv

FILE: Final = Path(__file__).with_name("recordings") / "random.jsonl.xz"
_SEEDS: Final = {"errors": range(9001, 9007), "nodes": range(9001, 9004), "replies": range(9001, 9009)}
_COMMANDS: Final = 250


class Sample(NamedTuple):
    """A log of commands and the masked reply to each."""

    name: str
    protocol: int
    log: list[Argv]
    replies: list[bytes]


def record(server: Server) -> None:
    """Runs the sequences on the server and writes them down, each seed in one of the two protocols."""
    lines = []
    for kind, seeds in _SEEDS.items():
        for seed in seeds:
            protocol = 2 + seed % 2
            log = [line for unit in KINDS[kind](seed, _COMMANDS) for line in unit]
            live = Live(server, protocol)
            replies = [reply.decode("latin-1") for reply in live.run(log)]
            live.close()
            argvs = [[word.decode("latin-1") for word in argv] for argv in log]
            lines.append(json.dumps([f"{kind}-{seed}", protocol, argvs, replies]))
    FILE.write_bytes(lzma.compress("\n".join(lines).encode(), preset=9))


def read() -> Iterator[Sample]:
    for line in lzma.decompress(FILE.read_bytes()).decode().splitlines():
        name, protocol, log, replies = json.loads(line)
        argvs = [[word.encode("latin-1") for word in argv] for argv in log]
        yield Sample(name, protocol, argvs, [reply.encode("latin-1") for reply in replies])
