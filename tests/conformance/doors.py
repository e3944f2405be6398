"""The ways into streamcli: each is held to what the engine answers, byte for byte.

(The engine is held to the recordings of Redis, by `test_recordings`.) A door is a side that starts empty. To hold
another one to it, add it to DOORS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Final, TypeAlias

from tests.client.side import Door
from tests.conformance.embedded import Embedded
from tests.conformance.sides import Live, Side
from tests.server.served import Served, serving

Open: TypeAlias = Callable[[int], Side]  # of a protocol


@contextmanager
def _engine() -> Iterator[Open]:
    yield lambda protocol: Embedded(protocol, newest=True)


@contextmanager
def _server() -> Iterator[Open]:
    with serving() as server:
        yield lambda protocol: Live(server, protocol, newest=True)


@contextmanager
def _server_on_a_file() -> Iterator[Open]:
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        server: Served = stack.enter_context(serving("--db", f"{folder}/door.db"))
        yield lambda protocol: Live(server, protocol, newest=True)


@contextmanager
def _python() -> Iterator[Open]:
    yield lambda protocol: Door(protocol, newest=True)


@contextmanager
def _python_on_a_file() -> Iterator[Open]:
    """With asyncio."""
    with _folder() as folder:
        numbers = count()
        yield lambda protocol: Door(protocol, path=f"{folder}/{next(numbers)}.db", tasks=True, newest=True)


@contextmanager
def _folder() -> Iterator[str]:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="streamcli-door-") as folder:
        yield folder


DOORS: Final = {
    "engine": _engine,
    "server": _server,
    "server on a file": _server_on_a_file,
    "Python": _python,
    "Python with tasks, on a file": _python_on_a_file,
}
