"""Where a run stopped that gives entries new IDs: no stream tells, so it is kept beside, for the same command.

A small file in the user's state folder. Its name is a hash of the command and of
its places, what is in it are IDs and numbers of lines. What is found there is
held against the stream before anybody believes it: see `found`.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from streamcli.backend import OnFile
from streamcli.folders import folder
from streamcli.ids import MIN_ID, StreamID, parse_id
from streamcli.reply import Error
from streamcli.tools.entries import pages
from streamcli.tools.job import RefusedError
from streamcli.tools.replies import record, string

if TYPE_CHECKING:
    from streamcli.backend import Backend
    from streamcli.tools.entries import Entry

_SIZE_MOST: Final = 1 << 20
_FOLDER: Final = "stopped"


def place_of(backend: Backend) -> str | None:
    """What tells it from all other places; None for one that ends with this process."""
    if isinstance(backend, OnFile):
        return None if backend.path is None else f"{os.path.realpath(backend.path)} {backend.db}"
    return f"{backend.target} {backend.db}"


class Mark:
    """What is kept of one command; `said` is all that makes it the same, None in it that nothing can be kept."""

    def __init__(self, environment: Mapping[str, str], *said: object) -> None:
        self._path: str | None = None
        if any(one is None for one in said):
            return
        from hashlib import sha256

        name = sha256(repr(said).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        with suppress(OSError):  # there is no home
            self._path = os.path.join(folder(environment, "XDG_STATE_HOME", ".local", "state"), _FOLDER, name)

    def read(self) -> dict[str, Any]:
        """What was kept; empty when nothing was."""
        if self._path is None:
            return {}
        try:
            with open(self._path, encoding="utf-8") as file:
                facts = json.loads(file.read(_SIZE_MOST))
        except (OSError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def keep(self, facts: Mapping[str, object]) -> bool:
        """Keep it in place of what was kept before; was that possible?"""
        if self._path is None:
            return False
        draft = f"{self._path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(json.dumps(facts))
            os.replace(draft, self._path)
        except OSError:
            with suppress(OSError):
                os.unlink(draft)
            return False
        return True

    def forget(self) -> None:
        if self._path is not None:
            with suppress(OSError):
                os.unlink(self._path)


def behind(backend: Backend, key: bytes, id: StreamID) -> Iterator[Entry]:
    """The entries of a stream behind an ID."""
    start = id.next()
    if start is not None:
        for page in pages(backend, key, start):
            yield from page


def found(wanted: Iterable[Hashable], there: Iterable[Hashable]) -> list[int | None]:
    """For each that is wanted: at which place it is there, behind those before it; None when it is not."""
    places: dict[Hashable, list[int]] = {}
    for at, one in enumerate(there):
        places.setdefault(one, []).append(at)
    answers: list[int | None] = []
    last = -1
    for one in wanted:
        of_it = places.get(one, [])
        index = bisect_right(of_it, last)
        answers.append(of_it[index] if index < len(of_it) else None)
        last = last if answers[-1] is None else answers[-1]
    return answers


def id_in(facts: Mapping[str, Any], name: str) -> StreamID:
    """An ID that was kept, 0-0 for what is none."""
    return parse_id(str(facts.get(name, "")).encode()) or MIN_ID


def number_in(facts: Mapping[str, Any], name: str) -> int:
    """A number that was kept, 0 for what is none."""
    value = facts.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def last_id(backend: Backend, key: bytes) -> StreamID | None:
    """The last ID that a stream has given; None when there is no such key. Raises RefusedError."""
    argv = (b"XINFO", b"STREAM", key)
    reply = backend.execute(argv)
    if isinstance(reply, Error):
        if "no such key" in reply.text:
            return None
        raise RefusedError(reply, argv)
    return parse_id(string(record(reply).get(b"last-generated-id"))) or MIN_ID
