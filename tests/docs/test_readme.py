"""Every example of the README is run, in order, on a terminal; what it prints is what the README shows."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _examples() -> list[tuple[str, str]]:
    """Commands and what they print, of all `console` blocks."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    examples: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            examples.append((command, printed))
    return examples


def _on_a_terminal(command: str, folder: Path) -> str:
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


def test_every_example_prints_what_the_readme_shows(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "streamcli"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streamcli "$@"\n')
    program.chmod(0o755)
    examples = _examples()
    assert len(examples) >= 8, "the README's examples were not found"
    for command, printed in examples:
        assert (command, _on_a_terminal(command, tmp_path)) == (command, printed)


def test_the_test_command_of_the_readme_is_what_ci_runs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^    make test\b", readme, re.MULTILINE)
    assert re.search(r"^make test check$", ci, re.MULTILINE)
