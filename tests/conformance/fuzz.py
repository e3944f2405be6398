"""Random sequences against a real server, byte for byte.

    python -m tests.conformance.fuzz --seeds 1-200 --commands 300 --protocol both --kind all --shrink

Prints, for each seed whose replies differ, the first differing command with both replies; with `--shrink` the
shortest log found that still differs, as lines that can be pasted into a script. Exit code 1 when any differed.
`--self-check` compares the server with itself in place of the engine: what then differs is a missing mask.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.conformance.generators import KINDS, Unit
from tests.conformance.live import Server, running
from tests.conformance.sides import Live, Side
from tests.conformance.wire import Argv


class Difference(NamedTuple):
    """The first command the two sides answer differently."""

    at: int
    argv: Argv
    theirs: bytes
    ours: bytes

    def offset(self) -> int:
        """Where the two replies part."""
        pairs = zip(self.theirs, self.ours, strict=False)
        return next((at for at, (their, our) in enumerate(pairs) if their != our), min(map(len, self[2:])))

    def kind(self) -> str:
        """What this difference has in common with others: the command, both errors, or the name before the place."""
        words = 2 if self.argv[0].upper() in (b"XINFO", b"XGROUP") else 1
        name = b" ".join(self.argv[:words]).decode("latin-1").upper()
        if b"-" in (self.theirs[:1], self.ours[:1]) or len(self.theirs) < 20:
            return f"{name}: server {self.theirs[:100]!r}, engine {self.ours[:100]!r}"
        before = re.findall(rb"\n([a-z][a-z-]{3,})\r", self.theirs[: self.offset()])
        return f"{name}: after {before[-1].decode() if before else 'the beginning'}"

    def __str__(self) -> str:
        start = max(0, self.offset() - 200)
        shown = [("... " if start else "") + repr(wire[start : start + 600]) for wire in (self.theirs, self.ours)]
        return f"    {quoted(self.argv)[:600]}\n    server {shown[0]}\n    engine {shown[1]}"


class Bench:
    """Runs logs on both sides."""

    def __init__(self, server: Server, protocol: int, ours: Callable[[], Side]) -> None:
        self._server = server
        self._protocol = protocol
        self._ours = ours

    def difference(self, units: list[Unit]) -> Difference | None:
        return next(self.differences(units), None)

    def differences(self, units: list[Unit]) -> Iterator[Difference]:
        log = [line for unit in units for line in unit]
        live = Live(self._server, self._protocol)
        theirs = live.run(log)
        live.close()
        ours = self._ours()
        try:
            for at, (argv, their) in enumerate(zip(log, theirs, strict=True)):
                our = _answer(ours, argv)
                if our != their:
                    yield Difference(at, argv, their, our)
        finally:
            ours.close()

    def shrink(self, units: list[Unit]) -> list[Unit]:
        """A shortest log, found greedily, whose last difference is of the same kind as the whole's first."""
        found = self.difference(units)
        assert found is not None
        kind = found.kind()
        units = _up_to(units, found.at)
        size = len(units) // 2
        while size:
            at = 0
            while at < len(units) - 1:
                fewer = units[:at] + units[at + size :]
                found = self.difference(fewer) if fewer else None
                if found is not None and found.kind() == kind:
                    units = _up_to(fewer, found.at)
                else:
                    at += size
            size //= 2
        return units


def _answer(side: Side, argv: Argv) -> bytes:
    try:
        return side.call(argv)
    except Exception as error:  # a traceback is a difference like any other
        return f"raised {type(error).__name__}: {error}".encode()


def _up_to(units: list[Unit], command: int) -> list[Unit]:
    """The units up to the one that holds the command."""
    kept: list[Unit] = []
    for unit in units:
        kept.append(unit)
        command -= len(unit)
        if command < 0:
            break
    return kept


def quoted(argv: Argv) -> str:
    """The line in redis-cli's quoting."""
    return " ".join(_quoted_word(word) for word in argv)


def _quoted_word(word: bytes) -> str:
    if word and all(33 <= byte < 127 and byte not in b"\"'\\#" for byte in word):
        return word.decode()
    inner = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in word)
    return f'"{inner}"'


def report(name: str, units: list[Unit], bench: Bench, options: argparse.Namespace, met: Counter[str]) -> None:
    """Counts how the two sides differ over the log, and prints a kind of difference when it is met first."""
    for found in bench.differences(units):
        kind = found.kind()
        met[kind] += 1
        if met[kind] == 1:
            print(f"--- {name}, command {found.at + 1}, {kind}\n{found}")
            if options.shrink:
                least = bench.shrink(units)
                print(*("       " + quoted(line)[:500] for unit in least for line in unit), sep="\n")
        if not options.all:
            return


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    first, _, last = options.seeds.partition("-")
    kinds = sorted(KINDS) if options.kind == "all" else [options.kind]
    protocols = [2, 3] if options.protocol == "both" else [int(options.protocol)]
    met: Counter[str] = Counter()
    commands, started = 0, time.monotonic()
    with running() as server, running() as second:
        if server is None or second is None:
            print("no server: make servers, or set STREAMCLI_REDIS", file=sys.stderr)
            return 2
        for seed in range(int(first), int(last or first) + 1):
            for kind in kinds:
                units = KINDS[kind](seed, options.commands)
                for protocol in protocols:
                    bench = Bench(server, protocol, _ours(protocol, second if options.self_check else None))
                    report(f"{kind} seed {seed} resp{protocol}", units, bench, options, met)
                    commands += sum(map(len, units))
    seconds = time.monotonic() - started
    print(f"{commands} commands in {seconds:.1f} s, {commands / seconds:.0f}/s; {met.total()} differences")
    for line, times in met.most_common(50):
        print(f"{times:6} {line}")
    return 1 if met else 0


def _ours(protocol: int, second: Server | None) -> Callable[[], Side]:
    if second is not None:
        return lambda: Live(second, protocol)
    # Only here: a self-check needs no engine.
    from tests.conformance.embedded import Embedded

    return lambda: Embedded(protocol)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", default="1-20", help="one number, or FIRST-LAST")
    parser.add_argument("--commands", type=int, default=300, help="lines in a sequence")
    parser.add_argument("--protocol", choices=["2", "3", "both"], default="both")
    parser.add_argument("--kind", choices=[*sorted(KINDS), "all"], default="all")
    parser.add_argument("--shrink", action="store_true", help="minimise a log that differs")
    parser.add_argument("--all", action="store_true", help="go on after the first difference of a sequence")
    parser.add_argument("--self-check", action="store_true", help="compare the server with a second one")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
