"""Patterns of KEYS, SCAN MATCH and CONFIG GET, by Redis's stringmatchlen; the cases were put to a Redis 8.0."""

from __future__ import annotations

import time

import pytest

from streamcli.engine.glob import matches


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        (b"", [b""], [b"a"]),
        (b"abc", [b"abc"], [b"", b"ab", b"abcd", b"Abc"]),
        (b"*", [b"", b"a", b"a\nb\0"], []),
        (b"**", [b"a", b"ab"], [b""]),  # Redis: only the lone star matches the empty name
        (b"a*", [b"a", b"ab", b"a*"], [b"", b"ba"]),
        (b"*a", [b"a", b"ba", b"aa"], [b"ab", b""]),
        (b"a*c", [b"ac", b"abc", b"accc"], [b"ab", b"acd"]),
        (b"a*b*c", [b"abc", b"axbyc", b"abbcc"], [b"acb", b"ab"]),
        (b"a**c", [b"ac", b"abc"], [b"a"]),
        (b"?", [b"a", b"?", b"\xff"], [b"", b"ab"]),
        (b"a?c", [b"abc", b"a?c"], [b"ac", b"abbc"]),
        (b"??*", [b"ab", b"abc"], [b"a"]),
        (b"[abc]", [b"a", b"b", b"c"], [b"d", b"", b"ab", b"[abc]"]),
        (b"[a-c]x", [b"ax", b"bx", b"cx"], [b"dx", b"-x", b"x"]),
        (b"[c-a]", [b"a", b"b", b"c"], [b"d"]),  # a range may stand backwards
        (b"[^a]", [b"b", b"^"], [b"a", b"", b"bb"]),
        (b"[^a-c]", [b"d", b"-"], [b"a", b"b", b"c"]),
        (b"[a^]", [b"a", b"^"], [b"b"]),
        (b"[a-]", [b"a", b"]", b"^"], [b"b", b"-"]),  # a range from a down to ], never closed
        (b"[-a]", [b"a", b"-"], [b"b"]),
        (b"[]", [], [b"", b"]", b"[]", b"a"]),  # closed at once: matches nothing
        (b"[]a]", [], [b"]", b"a", b"a]"]),
        (b"[^]", [b"a", b"]"], [b""]),
        (rb"[\]]", [b"]"], [b"\\", b"a"]),
        (rb"[a\-c]", [b"a", b"-", b"c"], [b"b", b"\\"]),
        (rb"[\^a]", [b"^", b"a"], [b"\\", b"b"]),
        (b"[a", [b"a"], [b"b", b"[a", b"aa"]),  # never closed: ends with the pattern
        (b"[abc", [b"a", b"b", b"c"], [b"d"]),
        (b"[a-", [b"a", b"-"], [b"b"]),
        (b"[^a", [b"b"], [b"a"]),
        (b"[", [], [b"[", b"a", b""]),
        (b"[^", [b"a"], [b""]),
        (b"[*]", [b"*"], [b"a"]),
        (rb"\*", [b"*"], [b"a", rb"\*"]),
        (rb"\?a", [b"?a"], [b"aa"]),
        (rb"\[a]", [b"[a]"], [b"a"]),
        (rb"\a", [b"a"], [rb"\a"]),
        (rb"\\", [b"\\"], [rb"\\"]),
        (b"\\", [b"\\"], [b"", b"a"]),  # at the end it is itself
        (b"a\\", [b"a\\"], [b"a"]),
        (b"*[^a]*", [b"b", b"ab"], [b"a", b"aaa"]),
        (b"news.[0-9]*.?", [b"news.1.a", b"news.10.x.b"], [b"news.a.a", b"news.1."]),
        (b"\xc3?", [b"\xc3\xbc"], [b"\xc3"]),  # bytes, not characters
    ],
)
def test_what_a_pattern_matches(pattern: bytes, matching: list[bytes], others: list[bytes]) -> None:
    assert [name for name in matching + others if matches(pattern, name)] == matching


def test_many_stars_take_no_longer_than_one() -> None:
    """A matcher that goes back to every star would not come back in a lifetime."""
    started = time.process_time()
    assert not matches(b"*a" * 100 + b"*b", b"a" * 5000)
    assert not matches(b"*a*a*a*b", b"a" * 20_000)
    assert matches(b"*a*a*a*b", b"a" * 20_000 + b"b")
    assert time.process_time() - started < 10
