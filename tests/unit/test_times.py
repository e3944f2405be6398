"""Times as people write them. (How they are shown: test_render_text.)"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from streamcli.times import date_text, moment

NOW = datetime(2026, 11, 21, 15, 30, 45, 678_000, UTC)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def ms(when: datetime) -> int:
    return round(when.timestamp() * 1000)


NOW_MS = ms(NOW)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("now", 0),
        ("10 minutes ago", 10 * MINUTE),
        ("an hour ago", HOUR),
        ("a day ago", DAY),
        ("1 Hour Ago", HOUR),
        ("10m ago", 10 * MINUTE),
        ("  10   minutes  ago ", 10 * MINUTE),
        ("1 hour 30 minutes ago", 90 * MINUTE),
        ("-10m", 10 * MINUTE),
        ("-1h30m", 90 * MINUTE),
        ("-1h 30m", 90 * MINUTE),
        ("-250ms", 250),
        ("-5s", 5000),
        ("-2h", 2 * HOUR),
        ("-3d", 3 * DAY),
        ("-2w", 14 * DAY),
        ("-1y", 365 * DAY),
        ("0s ago", 0),
        ("90 seconds ago", 90_000),
        ("2 weeks ago", 14 * DAY),
        ("3 years ago", 3 * 365 * DAY),
        ("5 min ago", 5 * MINUTE),
        ("7 milliseconds ago", 7),
    ],
)
def test_a_span_counts_back_from_now(text: str, ago: int) -> None:
    assert moment(text, NOW_MS) == NOW_MS - ago


@pytest.mark.parametrize(
    ("text", "ahead"), [("+10m", 10 * MINUTE), ("+1h30m", 90 * MINUTE), ("+ 2 days", 2 * DAY), ("+0s", 0)]
)
def test_a_span_behind_a_plus_lies_ahead(text: str, ahead: int) -> None:
    assert moment(text, NOW_MS) == NOW_MS + ahead


@pytest.mark.parametrize("text", ["+", "+10", "+soon", "++1h", "+-1h", "+1h ago", "+9999y", f"+{'9' * 15}y"])
def test_what_is_no_span_or_beyond_9999_does_not_lie_ahead(text: str) -> None:
    assert moment(text, NOW_MS) is None


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("tomorrow", datetime(2026, 11, 22, tzinfo=UTC)),
        ("tomorrow 10:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("today", datetime(2026, 11, 21, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 20, tzinfo=UTC)),
        ("yesterday 10:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("10:00", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("9:05:07", datetime(2026, 11, 21, 9, 5, 7, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20 10:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20T10:00", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20 10:00:05", datetime(2026, 11, 20, 10, 0, 5, tzinfo=UTC)),
        ("2026-11-20 10:00:05.5", datetime(2026, 11, 20, 10, 0, 5, 500_000, UTC)),
        ("2026-11-20 10:00:05.1239", datetime(2026, 11, 20, 10, 0, 5, 123_000, UTC)),
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("2026-11-20t10:00:00.250z", datetime(2026, 11, 20, 10, 0, 0, 250_000, UTC)),
        ("2026-11-20T10:00:00+01:00", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2026-11-20T10:00:00-0530", datetime(2026, 11, 20, 15, 30, tzinfo=UTC)),
        ("2018-05-22 10:26:58.136 UTC", datetime(2018, 5, 22, 10, 26, 58, 136_000, UTC)),
        ("1970-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
        ("9999-12-31 23:59:59", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2000-02-29", datetime(2000, 2, 29, tzinfo=UTC)),
    ],
)
def test_a_date_is_utc_unless_it_names_a_zone(text: str, when: datetime) -> None:
    assert moment(text, NOW_MS) == ms(when)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", "+", "$", "ago", " ago", "10", "10 ago", "minutes ago", "an ago", "10 m", "10 parsecs ago", "1-1",
        "1526984818136-0", "-10", "--10m", "-10m ago ago", "10mago", "anhour ago", "aday ago", "nowadays", "todays",
        "today10:00", "2026-13-01", "2026-00-10", "2026-02-30", "2026-02-29", "2100-02-29", "2026-11-31", "2026-11-00",
        "1969-12-31", "26-11-20", "2026-1-2", "12026-11-20", "2026-11-20x", "2026-11-20T", "24:00",
        "10:60", "10:00:60", "10:0", "2026-11-20 10", "2026-11-20 10:00+1", "2026-11-20 10:00+25:00",
        "2026-11-20 10:00:05.", "1970-01-01T00:00+01:00", "100 years ago", "99999999999999999999 years ago",
        "٣ minutes ago", "２０２６-11-20", "\udcff", "\x00", "yesterday ago", "-yesterday", "1.5h ago",
    ],
)  # fmt: skip
def test_what_is_no_time_is_none(text: str) -> None:
    assert moment(text, NOW_MS) is None


def test_blanks_around_a_time_do_not_matter() -> None:
    assert moment(" 2026-11-20\t10:00 ", NOW_MS) == moment("2026-11-20 10:00", NOW_MS)


def test_every_day_is_read_back_as_it_is_shown() -> None:
    when = datetime(2001, 1, 1, tzinfo=UTC)
    while when.year < 2200:
        assert moment(f"{when:%Y-%m-%d}", NOW_MS) == ms(when)
        assert moment(date_text(ms(when) + 3_723_004), NOW_MS) == ms(when) + 3_723_004
        when += timedelta(days=1)


def test_a_long_text_is_no_time() -> None:
    assert moment("-" + "1h" * 500_000, NOW_MS) is None
    assert moment(" " * 1_000_000 + "now", NOW_MS) is None
