"""Milliseconds as people read and write them: a UTC date, or a span of time.

Has no clock and no time zone of its own; arithmetic alone, as `datetime` costs
a start more than the rest of a tree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_FIRST_MS: Final = 978_307_200_000  # 2001-01-01
_END_MS: Final = 7_258_118_400_000  # 2200-01-01
_MINUTE: Final = 60_000
_DAY: Final = 86_400_000
_SECONDS_MAX: Final = 10**8  # what a clock of any system can still add to now
_SPANS: Final = ((31_536_000, "y"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


@lru_cache(maxsize=64)
def _minute_text(minute: int) -> str:
    """`2018-05-22 10:26:` of minutes since 1970; days to a date as Howard Hinnant's `civil_from_days`."""
    days, minute_of_day = divmod(minute, 1440)
    days += 719_468  # from 0000-03-01: a leap day comes last in its year
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * from_march + 2) // 5 + 1
    month = from_march + 3 if from_march < 10 else from_march - 9
    year = year_of_era + era * 400 + (month <= 2)
    hour, of_hour = divmod(minute_of_day, 60)
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{of_hour:02}:"


def date_text(unix_ms: int) -> str:
    """`2018-05-22 10:26:58.136 UTC`; empty when it is before 2001 or after 2199, so hardly a time."""
    if not _FIRST_MS <= unix_ms < _END_MS:
        return ""
    minute, rest = divmod(unix_ms, _MINUTE)
    return f"{_minute_text(minute)}{rest // 1000:02}.{rest % 1000:03} UTC"


def span_text(ms: int) -> str:
    """The two greatest units: `1m 21s`, `3d 4h`, `12.3s`; empty below a second."""
    if ms < 1000:
        return ""
    if ms < _MINUTE:
        return f"{ms // 1000}.{ms % 1000 // 100}s"
    rest = ms // 1000
    for index, (size, unit) in enumerate(_SPANS):
        if rest >= size:
            smaller, small_unit = _SPANS[min(index + 1, len(_SPANS) - 1)]
            more = rest % size // smaller
            return f"{rest // size}{unit} {more}{small_unit}" if more else f"{rest // size}{unit}"
    return ""


def id_date(id: bytes) -> str:
    """`date_text` of an ID's milliseconds; empty when it is no ID, or no time."""
    ms, _, seq = id.partition(b"-")
    return date_text(int(ms)) if len(ms) < 20 and ms.isdigit() and seq.isdigit() else ""


# -- the other way round ------------------------------------------------------------

_MOMENT_MAX: Final = 64  # characters; no time is written in more
_UNITS: Final = {
    word: ms
    for ms, words in (
        (1, "ms millisecond milliseconds"),
        (1000, "s sec secs second seconds"),
        (_MINUTE, "m min mins minute minutes"),
        (3_600_000, "h hr hrs hour hours"),
        (_DAY, "d day days"),
        (7 * _DAY, "w week weeks"),
        (365 * _DAY, "y year years"),
    )
    for word in words.split()
}
_LAST_MS: Final = 253_402_300_799_999  # the end of 9999
_SPAN: Final = r"(?:([0-9]{1,15})[ ]*|an?[ ]+)([a-z]+)[ ]*"
_CLOCK: Final = (
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:[ ]?(?:z|utc|([-+])([0-9]{2}):?([0-9]{2})))?"
)
_DATE: Final = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_DAYS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}
_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def moment(text: str, now_ms: int) -> int | None:
    """The Unix time in ms that a person's words name; None when they name none.

    `10 minutes ago`, `-1h30m`, `+10m`, `yesterday`, `tomorrow 10:00`, `10:00`,
    `2026-11-20 10:00:05.5`, RFC 3339 with its zone. All else is UTC, as is what
    `date_text` shows, from 1970 to 9999.
    """
    if len(text) > _MOMENT_MAX:
        return None
    text = " ".join(text.lower().split())
    if text == "now":
        return now_ms
    if text.startswith("-"):
        return _before(text[1:], now_ms)
    if text.startswith("+"):
        ahead = span(text[1:])
        return None if ahead is None or ahead > _LAST_MS - now_ms else now_ms + ahead
    if text.endswith(" ago"):
        return _before(text[:-4], now_ms)
    return _on_a_day(text, now_ms // _DAY) if text else None


def _before(text: str, now_ms: int) -> int | None:
    """`text` is a span: `1h30m`, `an hour`."""
    ago = span(text)
    return None if ago is None or ago > now_ms else now_ms - ago


def span(text: str) -> int | None:
    """The ms of a length of time such as `1h30m`, `an hour`, `7d`; None when it is none."""
    import re

    if len(text) > _MOMENT_MAX:
        return None
    text = " ".join(text.lower().split())
    length = at = 0
    while at < len(text):
        part = re.compile(_SPAN).match(text, at)
        if part is None or part[2] not in _UNITS:
            return None
        length += int(part[1] or 1) * _UNITS[part[2]]
        at = part.end()
    return length if at else None


def _on_a_day(text: str, today: int) -> int | None:
    """`text` is a day, a time of one, or both; days count from 1970."""
    import re

    day, rest = today, text
    if named := re.match("(yesterday|today|tomorrow)(?![^ ])", text):
        day, rest = today + _DAYS[named[1]], text[named.end() :]
    elif date := re.match(_DATE, text):
        year, month, of_month = int(date[1]), int(date[2]), int(date[3])
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        if year < 1970 or not 1 <= month <= 12 or not 1 <= of_month <= _MONTH_DAYS[month - 1] + (leap and month == 2):
            return None
        day, rest = _days(year, month, of_month), text[date.end() :]
    if not rest:
        return day * _DAY
    if rest is not text:
        if rest[0] not in " t":
            return None
        rest = rest[1:]
    time = re.fullmatch(_CLOCK, rest)
    if time is None:
        return None
    hour, minute, second = int(time[1]), int(time[2]), int(time[3] or 0)
    zone_hour, zone_minute = int(time[6] or 0), int(time[7] or 0)
    if hour > 23 or minute > 59 or second > 59 or zone_hour > 23 or zone_minute > 59:
        return None
    ms = ((day * 24 + hour) * 60 + minute) * _MINUTE + second * 1000 + int(f"{time[4] or 0:0<3}"[:3])
    offset = (zone_hour * 60 + zone_minute) * _MINUTE
    ms += offset if time[5] == "-" else -offset
    return ms if ms >= 0 else None


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970, by Howard Hinnant's `days_from_civil`."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def seconds(text: str) -> float | None:
    """A time such as `5` or `0.25`; None when it is none."""
    before, _, behind = text.partition(".")
    digits = before + behind
    if not digits.isascii() or not digits.isdigit() or len(digits) > 20 or float(text) > _SECONDS_MAX:
        return None
    return float(text)
