"""Commands with what they print, as a page shows them: found, and run in order on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def examples(text: str) -> list[tuple[str, str]]:
    """Commands and what they print, of all `console` blocks of a page."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed))
    return found


def on_a_terminal(command: str, folder: Path) -> str:
    """What a command prints, both streams, in a shell whose terminal has no colours."""
    ours, theirs = pty.openpty()
    environment = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
    }
    process = subprocess.Popen(
        ["/bin/sh", "-c", command], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    )
    os.close(theirs)
    printed = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux says so when the last one has left the terminal
            break
        if not piece:
            break
        printed += piece
    os.close(ours)
    process.wait()
    return printed.decode().replace("\r\n", "\n")


def run_all(text: str, folder: Path) -> int:
    """Run a page's examples, in order: how many there are. Raises AssertionError where one prints something else."""
    program = folder / "bin" / "streamcli"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streamcli "$@"\n')
    program.chmod(0o755)
    found = examples(text)
    for command, printed in found:
        assert (command, on_a_terminal(command, folder)) == (command, printed)
    return len(found)
