"""Run every benchmark and print one Markdown table. The exit status is 0 whatever the figures are."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from benchmarks import clone, door, engine, pages, prompt, remote, serve, startup, tail, top, transfer, wake
from benchmarks.measure import Row, machine, table

_PARTS = (
    "engine", "startup", "wake", "tail", "prompt", "pages", "remote", "door", "serve", "top", "transfer", "clone",
)  # fmt: skip


def main() -> None:
    """Read the flags, run what they ask for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller data and fewer rounds")
    parser.add_argument("--only", choices=_PARTS, action="append", help="run this part alone; may repeat")
    flags = parser.parse_args()
    rows = []
    for row in _rows(flags.only or _PARTS, quick=flags.quick):
        rows.append(row)
        sys.stderr.write(f"\r\033[K{row.operation}: {row.ours}" if sys.stderr.isatty() else "")
        sys.stderr.flush()
    sys.stderr.write("\r\033[K" if sys.stderr.isatty() else "")
    print(machine() + ("; --quick" if flags.quick else ""), end="\n\n")
    print("\n".join(table(rows)))


def _rows(parts: list[str] | tuple[str, ...], *, quick: bool) -> Iterator[Row]:
    if "engine" in parts:
        yield from engine.rows(engine.QUICK if quick else engine.FULL)
    if "startup" in parts:
        yield from startup.rows(rounds=7 if quick else 25)
    if "wake" in parts:
        yield from wake.rows(wakes=20 if quick else 50)
    if "tail" in parts:
        yield from tail.rows(entries=20 if quick else 100)
    if "prompt" in parts:
        yield from prompt.rows(
            rounds=7 if quick else 25, keys=200 if quick else 1000, known=10_000 if quick else 100_000
        )
    if "pages" in parts:
        yield from pages.rows(rounds=5 if quick else 20)
    if "remote" in parts:
        yield from remote.rows(rounds=3 if quick else 7, entries=20_000 if quick else 100_000)
    if "door" in parts:
        yield from door.rows(rounds=7 if quick else 25)
    if "serve" in parts:
        yield from serve.rows(serve.QUICK if quick else serve.FULL)
    if "top" in parts:
        yield from top.rows(5.0 if quick else 20.0)
    if "clone" in parts:
        yield from clone.rows(clone.QUICK if quick else clone.FULL)
    if "transfer" in parts:
        yield from transfer.rows(rounds=2 if quick else 3, entries=100_000 if quick else 1_000_000)


if __name__ == "__main__":
    main()
