"""The README's lines for a server are run on one."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

from tests.e2e.program import DEADLINE, ROOT, Program
from tests.remote.processes import Server

REPLIES = ['"1526984818136-0"', "cities\n└─ 1526984818136-0", "1"]


def test_the_lines_of_the_readme_do_what_they_say(program: Program, server: Server) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## On a server") :]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    lines = block[1].replace("6379", str(server.port)).splitlines()
    answers = []
    for line in lines:
        words = line.replace("streamcli ", f"{shlex.quote(sys.executable)} -m streamcli --format tree ", 1)
        done = subprocess.run(
            ["sh", "-c", words],
            check=False,
            capture_output=True,
            env=program.environment,
            cwd=program.home,
            timeout=DEADLINE,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        answers.append(done.stdout.decode())
    assert len(answers) == len(REPLIES)
    for answer, start in zip(answers, REPLIES, strict=True):
        assert answer.startswith(start)
