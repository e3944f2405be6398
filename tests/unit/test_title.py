"""Where in the title of a process secrets are. That they vanish is seen with a process of its own (tests/remote)."""

from __future__ import annotations

import pytest

from streamcli import title


def starred(words: list[bytes], secrets: list[bytes], pieces: list[bytes]) -> list[bytes]:
    data = bytearray(b"".join(word + b"\0" for word in words))
    for at, size in title.places(bytes(data), secrets, pieces):
        data[at : at + size] = b"*" * size
    return bytes(data).split(b"\0")[:-1]


@pytest.mark.parametrize(
    ("words", "secrets", "pieces", "expected"),
    [
        ([b"p", b"-a", b"xyz"], [b"xyz"], [], [b"p", b"-a", b"***"]),
        ([b"p", b"-axyz"], [b"xyz"], [], [b"p", b"-a***"]),
        ([b"p", b"--pass=xyz", b"XADD", b"axyz"], [b"xyz"], [], [b"p", b"--pass=***", b"XADD", b"axyz"]),
        ([b"p", b"redis://u:x:y@h/1"], [b"redis://u:x:y@h/1"], [], [b"p", b"redis://u:***@h/1"]),
        ([b"p", b"-uredis://:x@y@h"], [b"redis://:x@y@h"], [], [b"p", b"-uredis://:***@h"]),
        ([b"p", b"redis://u@h:7"], [b"redis://u@h:7"], [], [b"p", b"redis://u@h:7"]),
        (
            [b"p", b"redis://h?db=1&password=x"],
            [b"redis://h?db=1&password=x"],
            [],
            [b"p", b"redis://h?***************"],
        ),
        ([b"p", b"redis://h?db=1"], [b"redis://h?db=1"], [], [b"p", b"redis://h?db=1"]),
        ([b"p", b"unix://:x@/y"], [b"unix://:x@/y"], [], [b"p", b"unix://:*@/y"]),
        ([b"p", b"AUTH xyz", b"xyz"], [], [b"xyz"], [b"p", b"AUTH ***", b"***"]),
        ([b"p", b"\xff\xfe"], [b"\xff\xfe"], [], [b"p", b"**"]),
        ([b"p", b""], [], [], [b"p", b""]),
    ],
)
def test_what_is_starred(words: list[bytes], secrets: list[bytes], pieces: list[bytes], expected: list[bytes]) -> None:
    assert starred(words, secrets, pieces) == expected


def test_where_nothing_can_be_done_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*given: object) -> int:
        raise PermissionError(1, "no")

    monkeypatch.setattr("os.open", refused)
    title.hide(["secret", None, ""])
    monkeypatch.setattr("builtins.open", refused)
    title.hide(["secret"], ["secret"])
