"""Words, widths, dates and spans of time, as `render` writes them; and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from streamcli.render import FORMATS, Options, renderer
from streamcli.render.raw import double_text
from streamcli.reply import Reply
from streamcli.text import columns, escaped_all, quoted
from streamcli.times import date_text, id_date, span_text
from tests.unit.test_render_support import show


def test_dates_are_those_of_the_calendar() -> None:
    for ms in range(978_307_200_000, 7_258_118_400_000, 7_777_777_777):
        when = datetime.fromtimestamp(ms // 1000, UTC)
        assert date_text(ms) == f"{when:%Y-%m-%d %H:%M:%S}.{ms % 1000:03} UTC"


def test_a_time_is_shown_from_2001_to_2199_only() -> None:
    assert date_text(978_307_199_999) == ""
    assert date_text(978_307_200_000) == "2001-01-01 00:00:00.000 UTC"
    assert date_text(7_258_118_399_999) == "2199-12-31 23:59:59.999 UTC"
    assert date_text(7_258_118_400_000) == ""
    assert id_date(b"1526984818136-0") == "2018-05-22 10:26:58.136 UTC"
    for no_time in (b"5-1", b"", b"-", b"1526984818136", b"x-1", b"9" * 5000 + b"-1", b"\xb2-1"):
        assert id_date(no_time) == ""


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (-1, ""),
        (999, ""),
        (1000, "1.0s"),
        (59_999, "59.9s"),
        (60_000, "1m"),
        (81_500, "1m 21s"),
        (9_104_628, "2h 31m"),
        (86_400_000, "1d"),
        (273_600_000, "3d 4h"),
        (40_000_000_000, "1y 97d"),
    ],
)
def test_spans_say_the_two_greatest_units(ms: int, text: str) -> None:
    assert span_text(ms) == text


@pytest.mark.parametrize(
    ("value", "text"),  # as Redis 8.0.6 sends them
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (-8e8, "-800000000"),
        (9.956448355104628e17, "995644835510462848"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (123.456, "123.456"),
        (1e100, "1e+100"),
        (1.5e-9, "1.5e-9"),
        (0.0001, "0.0001"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (float("nan"), "nan"),
    ],
)
def test_doubles_are_written_as_redis_writes_them(value: float, text: str) -> None:
    assert double_text(value) == text


def test_a_sweep_over_values_says_what_each_would_say_alone() -> None:
    assert escaped_all([b"a", 'b"\\ö'.encode(), b""]) == ["a", 'b\\"\\\\ö', ""]
    assert escaped_all([]) == []
    for apart in ([b"a\nb"], [b"a\x1b"], [b"\xff"], [b"\xc3", b"\xb6"], ["\u202e".encode()]):
        assert escaped_all(apart) is None


def test_a_quoted_word_escapes_each_byte_that_is_no_printable_text() -> None:
    assert quoted(b"\xc3\xb6\xff\x00\x1f") == '"ö\\xff\\x00\\x1f"'


def test_wide_characters_take_two_columns_and_combining_ones_none() -> None:
    assert (columns("abc"), columns("日本"), columns("e\u0301")) == (3, 4, 1)


@pytest.mark.parametrize("many", [2, 300])
def test_a_carriage_return_is_shown_wherever_its_string_stands(many: int) -> None:
    reply: list[Reply] = [b"a\r", [b"b\r", [b"c\r", b"d"]], *[b"e\r"] * many]
    lines = show("raw", reply, None, Options(terminal=True)).split()
    assert lines == ["a\\r", "b\\r", "c\\r", "d", *["e\\r"] * many]
    assert show("raw", [b"a\r", b"b"]) == "a\r\nb\n"


def test_an_unknown_format_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        renderer("xml")
    assert [renderer(format).__module__ for format in FORMATS] == [f"streamcli.render.{format}" for format in FORMATS]


def test_a_raw_reply_imports_no_module_that_the_reply_did_not_need() -> None:
    script = (
        "import sys, streamcli.reply\nbefore = set(sys.modules)\n"
        "from streamcli.render import Options, renderer\n"
        "list(renderer('raw')(streamcli.reply.OK, None, Options()))\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output == "streamcli.render streamcli.render.flow streamcli.render.raw\n"
