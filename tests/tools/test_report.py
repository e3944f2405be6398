"""Rows of a tool's own, in every format."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamcli.backend.embedded import Embedded
from streamcli.render import FORMATS, Options
from streamcli.render.shape import ID, SPAN_MS, UNIX_MS
from streamcli.reply import Map, Reply
from streamcli.tools.report import BYTES, COUNT, RATE, UNKNOWN, Column, ago_text, chunks, rate_text, size_text
from tests.tools.desk import Desk

COLUMNS = (
    Column("stream"),
    Column("length", COUNT),
    Column("last", UNIX_MS),
    Column("rate", RATE),
    Column("memory", BYTES),
    Column("oldest_age", SPAN_MS, none="nothing pending"),
    Column("last_id", ID),
)
ROWS: list[list[Reply]] = [
    [b"a", 12345, 1526984818136, 12.5, 1_234_567, 303_000, b"1526984818136-0"],
    [b"b\xff\n", 0, None, UNKNOWN, UNKNOWN, None, b"0-0"],
]
CONSUMERS = [Map([(b"name", b"c"), (b"pending", 2), (b"idle", 61000)])]


def shown(format: str, options: Options = Options(), rows: list[list[Reply]] = ROWS) -> str:  # noqa: B008
    return "".join([f"{chunk}\n" for chunk in chunks(format, COLUMNS, rows, options)])


def test_a_table_is_for_people() -> None:
    assert shown("table").splitlines() == [
        "stream   length  last                            rate   memory       oldest age  last id",
        "───────  ──────  ───────────────────────────  ───────  ───────  ───────────────  ───────────────",
        "a        12,345  2018-05-22 10:26:58.136 UTC   12.5/s   1.2 MB            5m 3s  1526984818136-0",
        "b\\xff\\n       0  -                            unknown  unknown  nothing pending  0-0",
    ]


def test_a_tree_has_a_line_a_part() -> None:
    assert shown("tree").splitlines()[:8] == [
        "a",
        "  length      12,345",
        "  last        1526984818136  2018-05-22 10:26:58.136 UTC",
        "  rate        12.5/s",
        "  memory      1.2 MB",
        "  oldest-age  303000  5m 3s",
        "  last-id     1526984818136-0  2018-05-22 10:26:58.136 UTC",
        '"b\\xff\\n"',
    ]


def test_programs_are_given_numbers_and_null() -> None:
    assert json.loads(shown("json")) == [
        {"stream": "a", "length": 12345, "last": 1526984818136, "rate": 12.5, "memory": 1234567, "oldest_age": 303000,
         "last_id": "1526984818136-0"},
        {"stream": {"base64": "Yv8K"}, "length": 0, "last": None, "rate": None, "memory": None, "oldest_age": None,
         "last_id": "0-0"},
    ]  # fmt: skip
    assert [json.loads(line) for line in shown("jsonl").splitlines()] == json.loads(shown("json"))
    assert shown("json", rows=[]) == "[]\n"
    assert len(json.loads(shown("json", rows=ROWS[:1]))) == 1


def test_csv_has_a_header_and_raw_has_tabs() -> None:
    assert list(csv.reader(shown("csv").splitlines(keepends=True))) == [
        ["stream", "length", "last", "rate", "memory", "oldest_age", "last_id"],
        ["a", "12345", "1526984818136", "12.5", "1234567", "303000", "1526984818136-0"],
        ["b\\xff\n", "0", "", "", "", "", "0-0"],
    ]
    assert shown("raw", rows=ROWS[:1]) == "a\t12345\t1526984818136\t12.5\t1234567\t303000\t1526984818136-0\n"
    assert shown("raw", rows=ROWS[1:]) == "b\udcff\n\t0\t\t\t\t\t0-0\n"


def test_classic_is_pairs_as_redis_answers_them() -> None:
    assert shown("classic").splitlines()[:3] == ['1)  1) "stream"', '    2) "a"', '    3) "length"']


@pytest.mark.parametrize("format", FORMATS)
def test_no_format_lets_a_terminal_be_steered(format: str) -> None:
    rows: list[list[Reply]] = [[b"\x1b[2J\xe2\x80\xae\n", 1, 1, 0.0, 0, 0, b"\x1b"], [b"", -1, -1, -1.0, -1, -1, b""]]
    text = shown(format, Options(terminal=True, width=80), rows)
    assert [c for c in text if not (c.isprintable() or c == "\n" or (c == "\t" and format == "raw"))] == []


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_nested_is_shown(format: str) -> None:
    columns = (Column("group"), Column("consumers"))
    text = "\n".join(chunks(format, columns, [[b"g", list[Reply](CONSUMERS)]], Options()))
    assert "61000" in text
    if format == "tree":
        assert text == "g\n  consumers\n  └─ c\n       pending  2\n       idle     61000  1m 1s"


def test_a_date_that_does_not_fit_is_an_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamcli.tools.job.now_ms", lambda: 1526984818136 + 65_000)
    text = shown("table", Options(terminal=True, width=79), ROWS[:1])
    assert text.splitlines()[2] == "a       12,345  1m 5s ago  12.5/s  1.2 MB       5m 3s  1526984818136-0"


def test_live_rows_do_not_wait_for_others() -> None:
    def one_by_one() -> Iterator[list[Reply]]:
        yield ROWS[0]
        raise AssertionError

    lines = chunks("table", COLUMNS, one_by_one(), Options(), live=True)
    assert [next(lines)[:6] for _ in range(3)] == ["stream", "──────", "a     "]


def test_sizes_rates_and_ages_have_three_digits_at_most() -> None:
    assert [size_text(n) for n in (0, 999, 1000, 9949, 9960, 999_499, 999_500, 5 * 10**18)] == [
        "0 B", "999 B", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "5.0 EB",
    ]  # fmt: skip
    assert [rate_text(n) for n in (0.0, 1e-9, 1e-4, 4e-3, 0.016, 0.96, 99.9, 99.96, 12345.6)] == [
        "0/s", "<0.1/d", "8.6/d", "14/h", "0.02/s", "1.0/s", "99.9/s", "100/s", "12,346/s",
    ]  # fmt: skip
    assert [ago_text(ms) for ms in (0, 999, 61_000, -7_200_000)] == ["now", "now", "1m 1s ago", "in 2h"]


def test_what_was_done_is_a_row_in_csv_and_tables_and_an_object_in_json(tmp_path: Path) -> None:
    record: list[tuple[str, Reply]] = [("stream", b"a"), ("added", 3), ("dry_run", False)]
    told = {}
    for format in ("csv", "raw", "json", "jsonl"):
        desk = Desk(Embedded(str(tmp_path / "a.db")), format)
        desk.job.did("3 entries added to a", record)
        told[format] = desk.text
    assert told["csv"] == "stream,added,dry_run\na,3,false\n"
    assert told["raw"] == "a\t3\tfalse\n"
    assert json.loads(told["json"]) == json.loads(told["jsonl"]) == {"stream": "a", "added": 3, "dry_run": False}
