"""A group, its consumers, and what they have been given and not acknowledged.

Counts of pending entries are kept, not counted; every other method costs
O(log N) and the rows it returns. IDs are 16 packed bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from streamcli.storage import large
from streamcli.storage.rows import Row
from streamcli.storage.schema import DamagedError

if TYPE_CHECKING:
    from streamcli.storage.store import Store

_IDS_AT_ONCE = 100  # in one statement
DELIVERIES_MAX = 2**63 - 1  # Redis (since 8.8): a count stays there
NEVER_MS = -1  # `active_ms` of a consumer that was never given anything
RELEASED_MS = -1  # `delivered_ms` of what no consumer holds: before all that anyone does
_NOBODY = 0  # its consumer
_GROUP = "id, name, last_id, entries_read, pending, turns, released, nacks"
_UPDATE_OFTEN = "UPDATE groups SET last_id=?, entries_read=?, pending=?, turns=? WHERE id=?"
_UPDATE_ALL = "UPDATE groups SET last_id=?, entries_read=?, pending=?, turns=?, released=?, nacks=? WHERE id=?"


class Pending(NamedTuple):
    """One delivery that is not acknowledged; `consumer` is the ID of its owner's row."""

    id: bytes
    consumer: int
    delivered_ms: int
    deliveries: int

    @property
    def released(self) -> bool:
        """Given back by XNACK: nobody holds it."""
        return self.consumer == _NOBODY


class Consumer(Row):
    """A consumer's row. `seen_ms`: last attempt; `active_ms`: last entry it was given. Unix time in ms."""

    __slots__ = ("active_ms", "group", "id", "name", "pending", "seen_ms")

    def __init__(self, store: Store, group: int, row: tuple[int, bytes, int, int, int]) -> None:
        super().__init__(store)
        self.group = group
        self.id, self.name, self.seen_ms, self.active_ms, self.pending = row

    def _save(self) -> None:
        self._store.run(
            "UPDATE consumers SET seen_ms=?, active_ms=?, pending=? WHERE id=?",
            (self.seen_ms, self.active_ms, self.pending, self.id),
        )


class Group(Row):
    """A group's row.

    `entries_read` is None when it is not known; `pending` counts all its consumers' entries and the `released`,
    which nobody holds. `nacks` counts XNACKs.
    """

    __slots__ = (
        "_by_id",
        "_by_name",
        "_reader",
        "_saved",
        "_store",
        "entries_read",
        "id",
        "last_id",
        "nacks",
        "name",
        "pending",
        "released",
        "stream",
        "turns",
    )

    def __init__(
        self, store: Store, stream: int, row: tuple[int, bytes, bytes, int | None, int, int, int, int]
    ) -> None:
        super().__init__(store)
        self.stream = stream
        self.id, self.name, self.last_id, self.entries_read, self.pending, self.turns, *seldom = row
        self._saved = self.released, self.nacks = tuple(seldom)
        self._by_id: dict[int, Consumer] = {}
        self._by_name: dict[bytes, Consumer] = {}
        self._reader: Consumer | None = None  # whom entries were last delivered to

    @classmethod
    def make(cls, store: Store, stream: int, name: bytes, last_id: bytes, entries_read: int | None) -> Group:
        cursor = store.run(
            "INSERT INTO groups (stream, name, last_id, entries_read, pending) VALUES (?,?,?,?,0)",
            (stream, name, last_id, entries_read),
        )
        assert cursor.lastrowid is not None
        return cls(store, stream, (cursor.lastrowid, name, last_id, entries_read, 0, 0, 0, 0))

    @classmethod
    def load(cls, store: Store, stream: int, name: bytes | None = None) -> list[Group]:
        """The stream's groups, or the one of that name."""
        sql = f"SELECT {_GROUP} FROM groups WHERE stream=?"
        rows = store.run(sql, (stream,)) if name is None else store.run(f"{sql} AND name=?", (stream, name))
        return [cls(store, stream, row) for row in rows.fetchall()]

    def _save(self) -> None:
        often = (self.last_id, self.entries_read, self.pending, self.turns)
        seldom = (self.released, self.nacks)
        if seldom == self._saved:
            self._store.run(_UPDATE_OFTEN, (*often, self.id))
        else:
            self._store.run(_UPDATE_ALL, (*often, *seldom, self.id))
            self._saved = seldom

    def destroy_rows(self) -> None:
        """Delete the consumers and everything pending; the group's own row is the stream's to delete."""
        self._store.run("DELETE FROM pending WHERE grp=?", (self.id,))
        self._store.run("DELETE FROM consumers WHERE grp=?", (self.id,))

    def copy_rows(self, stream: int) -> None:
        """Everything again for another stream; this one's rows are up to date."""
        new = Group.make(self._store, stream, self.name, self.last_id, self.entries_read)
        new.pending, new.released, new.turns = self.pending, self.released, self.turns
        new.write()
        self._copy_pending(f"grp=? AND delivered_ms={RELEASED_MS}", self.id, new.id, _NOBODY)
        for consumer in self.consumers():
            copy = new.make_consumer(consumer.name, consumer.seen_ms)
            copy.active_ms, copy.pending = consumer.active_ms, consumer.pending
            copy.write()
            self._copy_pending("consumer=?", consumer.id, new.id, copy.id)

    def _copy_pending(self, which: str, whose: int, group: int, consumer: int) -> None:
        self._store.run(
            f"INSERT INTO pending SELECT ?, id, ?, delivered_ms, deliveries, turn FROM pending WHERE {which}",
            (group, consumer, whose),
        )

    # -- consumers ---------------------------------------------------------------------

    def consumer(self, name: bytes) -> Consumer | None:
        found = self._by_name.get(name)
        return found or self._load("name=?", name)

    def consumer_by_id(self, id: int) -> Consumer:
        found = self._by_id.get(id) or self._load("id=?", id)
        if found is None:
            raise DamagedError
        return found

    def consumers(self) -> list[Consumer]:
        """In the order of their names' bytes, as Redis lists them."""
        sql = "SELECT id, name, seen_ms, active_ms, pending FROM consumers WHERE grp=? ORDER BY name"
        return [self._by_id.get(row[0]) or self._keep(row) for row in self._store.run(sql, (self.id,)).fetchall()]

    def consumer_count(self) -> int:
        count: int = self._store.run("SELECT count(*) FROM consumers WHERE grp=?", (self.id,)).fetchone()[0]
        return count

    def make_consumer(self, name: bytes, now_ms: int) -> Consumer:
        """A new consumer, seen now; there must be none of that name."""
        cursor = self._store.run(
            "INSERT INTO consumers (grp, name, seen_ms, active_ms, pending) VALUES (?,?,?,?,0)",
            (self.id, name, now_ms, NEVER_MS),
        )
        assert cursor.lastrowid is not None
        return self._keep((cursor.lastrowid, name, now_ms, NEVER_MS, 0))

    def mention(self, name: bytes, now_ms: int) -> Consumer:
        """The consumer, made if it is new; it was seen now."""
        consumer = self.consumer(name)
        if consumer is None:
            return self.make_consumer(name, now_ms)
        consumer.seen_ms = now_ms
        consumer.changed()
        return consumer

    def delete_consumer(self, consumer: Consumer) -> None:
        """Delete a consumer and what it holds."""
        self._store.run("DELETE FROM pending WHERE consumer=?", (consumer.id,))
        self._store.run("DELETE FROM consumers WHERE id=?", (consumer.id,))
        self._by_id.pop(consumer.id, None)
        self._by_name.pop(consumer.name, None)
        self._reader = None
        self.pending -= consumer.pending
        self.changed()

    def _load(self, where: str, value: int | bytes) -> Consumer | None:
        sql = f"SELECT id, name, seen_ms, active_ms, pending FROM consumers WHERE grp=? AND {where}"
        row = self._store.run(sql, (self.id, value)).fetchone()
        return self._keep(row) if row else None

    def _keep(self, row: tuple[int, bytes, int, int, int]) -> Consumer:
        consumer = Consumer(self._store, self.id, row)
        self._by_id[consumer.id] = self._by_name[consumer.name] = consumer
        return consumer

    # -- pending entries ------------------------------------------------------------------

    def pend(self, ids: Sequence[bytes], consumer: Consumer, now_ms: int) -> None:
        """Deliver entries that follow each other for the first time; one that is pending already gets a new owner."""
        sql = (
            "INSERT OR IGNORE INTO pending SELECT ?, id, ?, ?, 1, ? FROM entries WHERE stream=? AND id>=? AND id<=? "
            "ORDER BY id"
        )
        values = (self.id, consumer.id, now_ms, self._turn(), self.stream, ids[0], ids[-1])
        added = self._store.run(sql, values).rowcount
        self._reader = consumer
        self._count(consumer, added)
        if added == len(ids):
            return
        # Some were pending. Those this call has added come out of the loop as they went in.
        for id in ids:
            row = self.row(id)
            if row is None:
                raise DamagedError
            self.assign(row, consumer, now_ms, 1)

    def assign(self, row: Pending, consumer: Consumer, delivered_ms: int, deliveries: int) -> None:
        """Give a pending entry an owner, a delivery time and a count."""
        self._store.run(
            "UPDATE pending SET consumer=?, delivered_ms=?, deliveries=?, turn=? WHERE grp=? AND id=?",
            (consumer.id, delivered_ms, deliveries, self._turn(), self.id, row.id),
        )
        if row.consumer != consumer.id:
            self._count_of(row.consumer, -1)
            self._count(consumer, 1)

    def force(self, id: bytes, consumer: Consumer, delivered_ms: int, deliveries: int) -> None:
        """Make an entry pending that is not."""
        self._insert(id, consumer.id, delivered_ms, deliveries)
        self._count(consumer, 1)

    def release(self, id: bytes, row: Pending | None, deliveries: int) -> None:
        """Take an entry that is pending (`row`), or is to be, from whoever holds it; it comes after those released."""
        if row is None:
            self._insert(id, _NOBODY, RELEASED_MS, deliveries)
        else:
            self._store.run(
                "UPDATE pending SET consumer=?, delivered_ms=?, deliveries=?, turn=? WHERE grp=? AND id=?",
                (_NOBODY, RELEASED_MS, deliveries, self._turn(), self.id, id),
            )
            self._count_of(row.consumer, -1)
        self._count_of(_NOBODY, 1)

    def _insert(self, id: bytes, consumer: int, delivered_ms: int, deliveries: int) -> None:
        values = (self.id, id, consumer, delivered_ms, deliveries, self._turn())
        self._store.run("INSERT INTO pending VALUES (?,?,?,?,?,?)", values)

    def deliver_again(self, ids: Sequence[bytes], now_ms: int) -> None:
        """Their owner reads them once more, in the order of their IDs."""
        if not ids:
            return
        again, turn = f"deliveries=min(deliveries, {DELIVERIES_MAX - 1})+1", self._turn()
        self._store.run_many(
            f"UPDATE pending SET delivered_ms=?, {again}, turn=? WHERE grp=? AND id=?",
            [(now_ms, turn, self.id, id) for id in ids],
        )

    def _turn(self) -> int:
        """The number of the next delivery: orders what is delivered in one ms."""
        self.turns += 1
        self.changed()
        return self.turns

    def acknowledge(self, ids: Sequence[bytes]) -> int:
        """Forget pending entries: how many of them were."""
        gone = 0
        for at in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[at : at + _IDS_AT_ONCE]
            sql = f"DELETE FROM pending WHERE grp=? AND id IN ({','.join('?' * len(some))})"
            reader = self._reader
            if reader is not None and reader.pending == self.pending:  # nobody else holds any
                count = self._store.run(sql, (self.id, *some)).rowcount
                self._count(reader, -count)
                gone += count
            else:
                gone += self._gone(self._store.run(f"{sql} RETURNING consumer", (self.id, *some)).fetchall())
        return gone

    def acknowledge_all(self, low: bytes, high: bytes) -> int:
        """Forget what is pending of the entries from `low` to `high` that are there: how many of them were."""
        there = "SELECT id FROM entries WHERE stream=? AND id>=? AND id<=?"
        sql = f"DELETE FROM pending WHERE grp=? AND id IN ({there}) RETURNING consumer"
        return self._gone(self._store.run(sql, (self.id, self.stream, low, high)).fetchall())

    def _gone(self, owners: list[tuple[int]]) -> int:
        """Rows were deleted; whose they were, one by one."""
        counts: dict[int, int] = {}
        for (owner,) in owners:
            counts[owner] = counts.get(owner, 0) + 1
        for owner, count in counts.items():
            self._count_of(owner, -count)
        return len(owners)

    def row(self, id: bytes) -> Pending | None:
        sql = "SELECT id, consumer, delivered_ms, deliveries FROM pending WHERE grp=? AND id=?"
        row = self._store.run(sql, (self.id, id)).fetchone()
        return Pending(*row) if row else None

    def ends(self) -> tuple[bytes, bytes] | None:
        """The smallest and the greatest pending ID."""
        run = self._store.run
        low = run("SELECT id FROM pending WHERE grp=? ORDER BY id LIMIT 1", (self.id,)).fetchone()
        high = run("SELECT id FROM pending WHERE grp=? ORDER BY id DESC LIMIT 1", (self.id,)).fetchone()
        return (low[0], high[0]) if low else None

    def rows(
        self,
        low: bytes,
        high: bytes,
        most: int = -1,
        *,
        consumer: Consumer | None = None,
        delivered_by_ms: int | None = None,
    ) -> list[Pending]:
        """What is pending from `low` to `high`, both included: at most `most` rows (-1 for all), of one
        consumer if given, delivered at `delivered_by_ms` or before if given."""
        whose, owner = ("consumer", consumer.id) if consumer is not None else ("grp", self.id)
        # The index of another order would be tempting where there is a condition on its column.
        sql = f"SELECT id, consumer, delivered_ms, deliveries FROM pending WHERE {whose}=? AND id>=? AND id<=?"
        values: list[int | bytes] = [owner, low, high]
        if delivered_by_ms is not None:
            sql += " AND +delivered_ms<=?"
            values.append(max(delivered_by_ms, RELEASED_MS))
        rows = self._store.run(f"{sql} ORDER BY id LIMIT ?", (*values, most)).fetchall()
        return [Pending(*row) for row in rows]

    def rows_with_fields(
        self, low: bytes, most: int, *, consumer: Consumer | None = None, delivered_by_ms: int = 2**63 - 1
    ) -> list[tuple[Pending, bool, bytes | None]]:
        """What is pending from `low` on: each row, whether its entry is still there, and the entry's packed
        fields, which are read only if it was delivered at `delivered_by_ms` or before."""
        whose, owner = ("consumer", consumer.id) if consumer is not None else ("grp", self.id)
        sql = (
            "SELECT p.id, p.consumer, p.delivered_ms, p.deliveries, e.id IS NOT NULL, "
            "CASE WHEN p.delivered_ms<=? THEN e.fields END "
            "FROM pending AS p LEFT JOIN entries AS e ON e.stream=? AND e.id=p.id "
            f"WHERE p.{whose}=? AND p.id>=? ORDER BY p.id LIMIT ?"
        )
        by_ms = max(delivered_by_ms, RELEASED_MS)
        rows = self._store.run(sql, (by_ms, self.stream, owner, low, most)).fetchall()
        store, stream = self._store, self.stream
        return [
            (Pending(*row[:4]), bool(row[4]), row[5] and large.whole(store, stream, row[0], row[5])) for row in rows
        ]

    # -- in the order of delivery ---------------------------------------------------------

    def overdue(self, by_ms: int, before_turn: int, most: int) -> list[tuple[Pending, bytes]]:
        """What is pending and there, delivered at `by_ms` or before and before a delivery of that number: the
        released first, then by delivery. Each row with the entry's packed fields; at most `most`, -1 for all.
        For writers."""
        self._store.order_deliveries()
        sql = (
            "SELECT p.id, p.consumer, p.delivered_ms, p.deliveries, e.fields FROM pending AS p "
            "CROSS JOIN entries AS e ON e.stream=? AND e.id=p.id "
            "WHERE p.grp=? AND p.delivered_ms<=? AND p.turn<? ORDER BY p.delivered_ms, p.turn, p.id LIMIT ?"
        )
        if by_ms < 0:
            return []
        rows = self._store.run(sql, (self.stream, self.id, by_ms, before_turn, most)).fetchall()
        return [(Pending(*row[:4]), large.whole(self._store, self.stream, row[0], row[4])) for row in rows]

    def first_delivered_ms(self) -> int | None:
        """When the first of what is pending and there was delivered; RELEASED_MS for what nobody holds."""
        sql = (
            "SELECT p.delivered_ms FROM pending AS p CROSS JOIN entries AS e ON e.stream=? AND e.id=p.id "
            "WHERE p.grp=? ORDER BY p.delivered_ms, p.turn, p.id LIMIT 1"
        )
        row = self._store.run(sql, (self.stream, self.id)).fetchone()
        return row[0] if row else None

    def _count(self, consumer: Consumer, more: int) -> None:
        self.pending += more
        self.changed()
        consumer.pending += more
        consumer.changed()

    def _count_of(self, owner: int, more: int) -> None:
        """The same of the consumer of that ID, or of nobody."""
        if owner != _NOBODY:
            self._count(self.consumer_by_id(owner), more)
            return
        self.pending += more
        self.released += more
        self.changed()
