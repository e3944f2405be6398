"""What demo streams hold: entries that look as those of shops, houses, sites and services do, and when they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import pi, sin
from random import Random
from typing import Final

_DAY: Final = 86_400_000
_CITIES: Final = {"Oslo": 4, "Lisbon": 17, "Nairobi": 19, "Osaka": 16, "Quito": 14, "São Paulo": 20}
_GOODS: Final = ("tea", "coffee", "cocoa", "honey", "rye bread", "olive oil", "paprika", "salt")
_COUNTRIES: Final = ("NO", "PT", "KE", "JP", "EC", "BR", "DE", "FR", "IN")
_PAGES: Final = ("/", "/search", "/tea", "/coffee", "/basket", "/checkout", "/help")
_FROM: Final = ("direct", "search", "mail", "friends")
_SERVICES: Final = ("web", "orders", "payments", "mailer")
_MESSAGES: Final = {
    "info": ("request served", "job finished", "cache refreshed", "user logged in"),
    "warning": ("slow query", "retrying", "queue is growing"),
    "error": ("payment refused", "connection lost", "time-out"),
}


def moments(random: Random, begin: int, end: int, count: int) -> Iterator[int]:
    """`count` times from `begin` to `end` (ms), in order, more of them in the afternoon than at night."""
    weights = []
    steps = max(1, min(count, 1000))
    length = (end - begin) / steps
    for step in range(steps):
        of_day = ((begin + step * length) % _DAY) / _DAY
        weights.append((1.1 + sin((of_day - 0.35) * 2 * pi)) * random.uniform(0.7, 1.3))
    scale = count / sum(weights)
    made, due = 0, 0.0
    for step, weight in enumerate(weights):
        due += weight * scale
        here = count - made if step == steps - 1 else max(0, round(due) - made)
        low = begin + step * length
        yield from sorted(int(low + random.random() * length) for _ in range(here))
        made += here


def _of(*words: object) -> list[bytes]:
    return [str(word).encode() for word in words]


def _orders(random: Random) -> Iterator[list[bytes]]:
    number = random.randrange(1000, 9000)
    while True:
        number += 1
        good, amount = random.choice(_GOODS), random.choice((1, 1, 1, 2, 2, 3, 5))
        price = f"{amount * random.uniform(2, 30):.2f}"
        status = random.choices(("paid", "open", "refused"), (12, 3, 1))[0]
        yield _of("order", number, "customer", f"c{random.randrange(400)}", "item", good, "amount", amount,
                  "price", price, "country", random.choice(_COUNTRIES), "status", status)  # fmt: skip


def _sensors(random: Random) -> Iterator[list[bytes]]:
    drift = dict.fromkeys(_CITIES, 0.0)
    while True:
        city = random.choice(tuple(_CITIES))
        drift[city] = max(-8.0, min(8.0, drift[city] + random.uniform(-0.4, 0.4)))
        temp = _CITIES[city] + drift[city]
        yield _of("city", city, "temp", f"{temp:.1f}", "humidity", random.randrange(30, 96),
                  "battery", f"{random.uniform(2.9, 3.3):.2f}")  # fmt: skip


def _clicks(random: Random) -> Iterator[list[bytes]]:
    while True:
        page = random.choices(_PAGES, (9, 6, 4, 4, 3, 1, 1))[0]
        yield _of("user", f"u{random.randrange(2000)}", "page", page, "from", random.choice(_FROM),
                  "ms", int(random.lognormvariate(4.5, 0.6)))  # fmt: skip


def _logs(random: Random) -> Iterator[list[bytes]]:
    while True:
        level = random.choices(("info", "warning", "error"), (40, 5, 1))[0]
        yield _of("level", level, "service", random.choice(_SERVICES), "message", random.choice(_MESSAGES[level]),
                  "request", f"{random.getrandbits(48):012x}")  # fmt: skip


SHAPES: Final[dict[str, Callable[[Random], Iterator[list[bytes]]]]] = {
    "orders": _orders,
    "sensors": _sensors,
    "clicks": _clicks,
    "logs": _logs,
}
"""Each gives names and values in turns, without end."""
