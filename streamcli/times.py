"""Milliseconds as people read them: a UTC date, or a span of time.

Has no clock and no time zone; arithmetic alone, as `datetime` costs a start
more than the rest of a tree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_FIRST_MS: Final = 978_307_200_000  # 2001-01-01
_END_MS: Final = 7_258_118_400_000  # 2200-01-01
_MINUTE: Final = 60_000
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
