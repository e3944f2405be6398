"""Who added what to a stream: producers, and the messages of each that are remembered, so that none is added twice.

A message is known by its producer's name and an ID the producer gave it (IID);
what is remembered is the ID of its entry, whether that is still there or not.
What is older than `duration` is forgotten from each producer's oldest message
on, up to the first that is younger: whoever writes sweeps, whoever only counts
leaves it out. Every method costs O(log N), and the messages it forgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from streamcli.ids import U64_MAX, pack_pair
from streamcli.storage.rows import Row
from streamcli.storage.schema import DamagedError

if TYPE_CHECKING:
    from streamcli.storage.store import Store

DURATION_SECONDS, MAXSIZE = 100, 100  # Redis: stream-idmp-duration and stream-idmp-maxsize
COLUMNS = "idmp_duration, idmp_maxsize, producers, iids, iids_added, iids_duplicates"  # of the table streams
FRESH = (DURATION_SECONDS, MAXSIZE, 0, 0, 0, 0)
_UPDATE = f"UPDATE streams SET {COLUMNS.replace(',', '=?,')}=? WHERE key=?"
_TICK_MS = 100  # Redis looks some ten times a second for what is too old: so long, at least, anything is remembered

_Row: TypeAlias = "tuple[int, int, int]"  # of a producer: its ID, how many messages it has, how many it ever had


class Producers(Row):
    """One stream's producers: a part of the stream's row that is written by itself.

    `duration` in seconds; `maxsize` messages are remembered of each producer. `names` counts the producers, `iids`
    the messages, `added` and `duplicates` those that ever came.
    """

    __slots__ = ("added", "duplicates", "duration", "iids", "maxsize", "names", "stream")

    def __init__(self, store: Store, stream: int, row: tuple[int, int, int, int, int, int] = FRESH) -> None:
        super().__init__(store)
        self.stream = stream
        self.duration, self.maxsize, self.names, self.iids, self.added, self.duplicates = row

    def _save(self) -> None:
        row = (self.duration, self.maxsize, self.names, self.iids, self.added, self.duplicates)
        self._store.run(_UPDATE, (*row, self.stream))

    def entry_of(self, name: bytes, iid: bytes) -> bytes | None:
        """The ID of the entry of a producer's message; None when it is not known."""
        if not self.names:
            return None
        sql = (
            "SELECT i.id FROM producers AS p CROSS JOIN iids AS i ON i.producer=p.id AND i.iid=? "
            "WHERE p.stream=? AND p.name=?"
        )
        row = self._store.run(sql, (iid, self.stream, name)).fetchone()
        return row[0] if row else None

    def remember(self, name: bytes, iid: bytes, id: bytes, now_ms: int) -> None:
        """A new message; when its producer has more than `maxsize`, the oldest is forgotten."""
        run = self._store.run
        sql = "SELECT id, held, placed FROM producers WHERE stream=? AND name=?"
        row = run(sql, (self.stream, name)).fetchone()
        if row is None:
            sql = "INSERT INTO producers (stream, name, held, placed, oldest) VALUES (?,?,0,0,?)"
            row = run(sql, (self.stream, name, id)).lastrowid, 0, 0
            self.names += 1
        producer, held, placed = row[0], row[1] + 1, row[2] + 1
        run("INSERT INTO iids VALUES (?,?,?,?,?)", (producer, iid, placed, id, now_ms))
        run("UPDATE producers SET held=?, placed=? WHERE id=?", (held, placed, producer))
        self.iids += 1
        self.added += 1
        self.changed()
        if held > self.maxsize:
            self._forget((producer, held, placed), held - self.maxsize)

    def sweep(self, now_ms: int) -> None:
        """Forget what is too old."""
        for producer, count in self._too_old(now_ms):
            self._forget(producer, count)

    def tracked(self, now_ms: int) -> tuple[int, int]:
        """How many producers, and how many messages, are remembered."""
        names, messages = self.names, self.iids
        for (_, held, _), count in self._too_old(now_ms):
            names -= count == held
            messages -= count
        return names, messages

    def forget_all(self) -> None:
        if not self.names:
            return
        mine = "SELECT id FROM producers WHERE stream=?"
        self._store.run(f"DELETE FROM iids WHERE producer IN ({mine})", (self.stream,))
        self._store.run("DELETE FROM producers WHERE stream=?", (self.stream,))
        self.names = self.iids = 0
        self.changed()

    def copy_rows(self, new: int) -> None:
        """The messages again for another stream; its row has the counts."""
        if not self.names:
            return
        self._store.run(
            "INSERT INTO producers (stream, name, held, placed, oldest) "
            "SELECT ?, name, held, placed, oldest FROM producers WHERE stream=?",
            (new, self.stream),
        )
        self._store.run(
            "INSERT INTO iids SELECT n.id, i.iid, i.place, i.id, i.added_ms FROM producers AS p "
            "CROSS JOIN producers AS n ON n.stream=? AND n.name=p.name CROSS JOIN iids AS i ON i.producer=p.id "
            "WHERE p.stream=?",
            (new, self.stream),
        )

    def _too_old(self, now_ms: int) -> list[tuple[_Row, int]]:
        """The producers with messages that are too old, and how many each has."""
        last_ms = now_ms - self.duration * 1000
        if not self.names or last_ms < 0:
            return []
        young = pack_pair(min(last_ms, U64_MAX - 1) + 1, 0)
        sql = "SELECT id, held, placed FROM producers WHERE stream=? AND oldest<?"
        messages = "SELECT id, added_ms FROM iids WHERE producer=? ORDER BY place"
        found = []
        for producer in self._store.run(sql, (self.stream, young)).fetchall():
            count = 0
            for id, added_ms in self._store.run(messages, producer[:1]):
                if id >= young or added_ms > now_ms - _TICK_MS:
                    break
                count += 1
            if count:
                found.append((producer, count))
        return found

    def _forget(self, producer: _Row, count: int) -> None:
        """Forget a producer's oldest messages, and the producer when it has no other."""
        run, (number, held, _) = self._store.run, producer
        if count >= held:
            run("DELETE FROM iids WHERE producer=?", (number,))
            run("DELETE FROM producers WHERE id=?", (number,))
            self.names -= 1
        else:
            sql = "SELECT place, id FROM iids WHERE producer=? ORDER BY place LIMIT 1 OFFSET ?"
            row = run(sql, (number, count)).fetchone()
            if row is None:
                raise DamagedError
            run("DELETE FROM iids WHERE producer=? AND place<?", (number, row[0]))
            run("UPDATE producers SET held=?, oldest=? WHERE id=?", (held - count, row[1], number))
        self.iids -= count
        self.changed()
