"""What a one-shot costs: a whole process, against a Python that does nothing."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from benchmarks.measure import Round, Row, medians, milliseconds

_MOST = 5.0


def rows(rounds: int) -> Iterator[Row]:
    """Ours against `python -c pass`; iredis and prompt_toolkit, where installed, to show what others pay."""
    commands = [[*own_script(), "--memory", "-e", "PING"], [sys.executable, "-c", "pass"]]
    names = ["", ""]
    iredis = script("iredis")
    if iredis:
        commands.append([iredis, "--version"])
        names.append("iredis --version")
    if importlib.util.find_spec("prompt_toolkit"):
        commands.append([sys.executable, "-c", "import prompt_toolkit"])
        names.append("python -c 'import prompt_toolkit'")
    ours, bare, *others = medians(rounds, *map(_start, commands))
    ratio = ours / bare
    yield Row(
        "Start: streamcli --memory -e PING against python -c pass",
        milliseconds(ours),
        milliseconds(bare),
        f"{ratio:.2f}x",
        f"≤ {_MOST:g}x",
        ratio <= _MOST,
    )
    for name, seconds in zip(names[2:], others, strict=True):
        yield Row(
            f"Start: the same against {name}", milliseconds(ours), milliseconds(seconds), f"{seconds / ours:.2f}x", "",
            None,
        )  # fmt: skip


def script(name: str) -> str | None:
    """A console script of this environment."""
    path = os.path.join(os.path.dirname(sys.executable), name)
    return path if os.path.exists(path) else None


def own_script() -> list[str]:
    """The words that start streamcli here."""
    own = script("streamcli")
    return [own] if own else [sys.executable, "-m", "streamcli"]


def environment() -> dict[str, str]:
    """The environment of a user: compiled modules are kept."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _start(command: Sequence[str]) -> Round:
    surroundings = environment()

    def one() -> float:
        start = time.perf_counter()
        subprocess.run(command, env=surroundings, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - start

    return one
