"""`tail` and `id` on servers that answer nonsense: one line, no traceback, and nothing that steers a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.program import Program

Faked = Callable[..., Any]
ONE_STREAM = b"*1\r\n*2\r\n$1\r\na\r\n"


@pytest.mark.parametrize(
    "reply",
    [
        b":1\r\n",
        b"+OK\r\n",
        b"*1\r\n:1\r\n",
        ONE_STREAM + b":1\r\n",
        ONE_STREAM + b"*1\r\n:1\r\n",
        ONE_STREAM + b"*1\r\n*2\r\n:1\r\n*0\r\n",
        ONE_STREAM + b"*1\r\n*2\r\n$3\r\n1-x\r\n*0\r\n",
        ONE_STREAM + b"*1\r\n*2\r\n$3\r\n1-1\r\n*1\r\n$1\r\nx\r\n",
        ONE_STREAM + b"*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n:1\r\n:2\r\n",
        ONE_STREAM + b"*1\r\n*2\r\n$3\r\n1-1\r\n:7\r\n",
        b"-ERR \x1b[2J\r\n",
        b"*1\r\n*2\r\n*0\r\n*0\r\n",
    ],
)
@pytest.mark.parametrize(
    "words",
    [
        ["tail", "a", "--from", "start", "--no-follow"],
        ["tail", "a"],
        ["tail", "a", "--group", "g", "--consumer", "c", "--no-follow"],
        ["id", "1-1", "a"],
    ],
)
def test_nonsense_is_one_line(program: Program, fake: Faked, reply: bytes, words: list[str]) -> None:
    server = fake(dict.fromkeys(("XREAD", "XREADGROUP", "XREVRANGE", "XRANGE", "XINFO", "XPENDING"), reply))
    result = program.run("-h", "127.0.0.1", "-p", str(server.port), *words, "--format", "tree")
    assert b"Traceback" not in result.err
    assert b"internal error" not in result.err
    assert b"\x1b" not in result.err + result.out
    assert result.err.count(b"\n") <= 1
    assert result.code in (0, 1)
