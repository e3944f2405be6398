"""Records what a real Redis answers, for the tests to be held to: `python -m tests.conformance.record [NAME ...]`.

Without names everything is recorded: each script in both protocols, a few random sequences, and what the server says
of its commands. The server must be an 8.0; `make servers` brings one.
"""

from __future__ import annotations

import sys

from tests.conformance import samples, script, table
from tests.conformance.live import Server, running
from tests.conformance.sides import Live


def main(wanted: list[str]) -> int:
    with running() as server:
        if server is None:
            print("no Redis 8.0 found: run make servers, or set STREAMCLI_REDIS", file=sys.stderr)
            return 2
        for name in wanted or script.names():
            record_script(name, server)
        if not wanted:
            samples.record(server)
            table.record(server)
    return 0


def record_script(name: str, server: Server) -> None:
    for protocol in (2, 3):
        live = Live(server, protocol)
        script.write_recording(name, protocol, script.play(name, live))
        live.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
