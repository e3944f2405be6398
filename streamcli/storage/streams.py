"""A stream: its entries, and the macro nodes they live in.

Nodes are Redis's: a stream is trimmed by whole nodes, so they are kept with the
sizes that Redis would give them. Full nodes have a row each; the one still being
filled (the tail) is part of the stream's own row, so that adding an entry writes
two rows. IDs are 16 packed bytes here; entries are handed out as they are
stored: (id, fields), to be read by `unpack_words`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from streamcli.storage import large
from streamcli.storage.encoding import (
    COUNTS_MAX,
    counts_size,
    entry_size,
    header_size,
    pack_words,
    signed,
    unpack_words,
)
from streamcli.storage.groups import Group
from streamcli.storage.producers import COLUMNS as _IDMP
from streamcli.storage.producers import Producers
from streamcli.storage.rows import Row
from streamcli.storage.schema import DamagedError

if TYPE_CHECKING:
    from sqlite3 import Cursor

    from streamcli.storage.store import Store

Entry: TypeAlias = tuple[bytes, bytes]  # packed ID, packed fields

ZERO_ID = bytes(16)
TOP_ID = b"\xff" * 16
_FEW = 1000  # entries that are read at once where bytes count
_NODE_BYTES_MAX = 2**30  # Redis: holds even when no limit is set

# What an XADD changes, and what it seldom does.
_OFTEN = "length, last_id, entries_added, appended, version, tail_last, tail_live, tail_bytes"
_SELDOM = "max_deleted_id, large, full_nodes, full_bytes, tail_first, tail_deleted, tail_names"
_COLUMNS = f"{_OFTEN}, {_SELDOM}"
_UPDATE_OFTEN, _UPDATE_ALL = (
    f"UPDATE streams SET {columns.replace(',', '=?,')}=? WHERE key=?" for columns in (_OFTEN, _COLUMNS)
)

_WHO_HAS_IT = "SELECT 1 FROM groups AS g CROSS JOIN pending AS p ON p.grp=g.id WHERE g.stream=? AND "


class NodeLimits(NamedTuple):
    """When a node is full; 0 switches a limit off. Redis: stream-node-max-bytes and stream-node-max-entries."""

    bytes: int = 4096
    entries: int = 100


class Node:
    """Some consecutive entries. `first` and `last` count deleted ones too; `bytes` leaves out the two counts."""

    __slots__ = ("_unpacked", "bytes", "deleted", "first", "last", "live", "names")

    def __init__(self, first: bytes, last: bytes, live: int, deleted: int, bytes_: int, names: bytes) -> None:
        self.first, self.last, self.live, self.deleted = first, last, live, deleted
        self.bytes, self.names = bytes_, names
        self._unpacked: Sequence[bytes] | None = None

    def full(self, more: int, limits: NodeLimits) -> bool:
        """Is there no room for an entry whose words are `more` bytes long?"""
        most = limits.bytes if 0 < limits.bytes < _NODE_BYTES_MAX else _NODE_BYTES_MAX
        room = most - self.bytes - more
        if room <= COUNTS_MAX and room <= counts_size(self.live, self.deleted):
            return True
        return 0 < limits.entries <= self.live + self.deleted

    def has_names(self, names: Sequence[bytes]) -> bool:
        """Are these the names of its fields, in their order?"""
        if self._unpacked is None:
            self._unpacked = unpack_words(self.names)
        return self._unpacked == names


class _NoNode:
    """What the row of a stream without a tail says."""

    first = last = live = deleted = bytes = names = None


_NO_NODE = _NoNode()


class Stream(Row):
    """A stream's row. Change it through the methods, or call `changed` after setting a field."""

    __slots__ = (
        "_first", "_groups", "_saved", "ahead", "appended", "entries_added", "full_bytes", "full_nodes", "id", "large",
        "last_id", "length", "max_deleted_id", "producers", "tail", "version",
    )  # fmt: skip

    def __init__(self, store: Store, id: int) -> None:
        super().__init__(store)
        self.id = id
        self.length = 0
        self.last_id = self.max_deleted_id = ZERO_ID  # last_id never goes back
        self.entries_added = 0
        self.appended = 0
        self.large = 0
        self.version = 0
        self.tail: Node | None = None
        self.full_nodes = self.full_bytes = 0  # nodes before the tail, and their sizes
        self.producers = Producers(store, id)
        self.ahead: list[tuple[int, bytes, bytes]] = []  # rows of the table entries that are not in it yet
        self._groups: dict[bytes, Group] = {}  # those that were asked for
        self._saved: object = None  # the columns that seldom change, as they were last written
        self._first: bytes | None = None  # the oldest entry's ID, while it is known

    @classmethod
    def make(cls, store: Store, id: int) -> Stream:
        stream = cls(store, id)
        store.run(
            f"INSERT INTO streams (key, {_COLUMNS}) VALUES (?,0,?,0,0,0,NULL,NULL,NULL,?,0,0,0,NULL,NULL,NULL)",
            (id, ZERO_ID, ZERO_ID),
        )
        return stream

    @classmethod
    def load(cls, store: Store, id: int) -> Stream:
        stream = cls(store, id)
        row = store.run(f"SELECT {_COLUMNS}, {_IDMP} FROM streams WHERE key=?", (id,)).fetchone()
        if row is None:
            raise DamagedError
        stream.length, stream.last_id, stream.entries_added, stream.appended, stream.version = row[:5]
        last, live, size = row[5:8]
        stream.max_deleted_id, stream.large, stream.full_nodes, stream.full_bytes, first, deleted, names = row[8:15]
        stream.producers = Producers(store, id, row[15:])
        if first is not None:
            stream.tail = Node(first, last, live, deleted, size, names)
        return stream

    def _save(self) -> None:
        tail = self.tail or _NO_NODE
        often = (
            self.length, self.last_id, self.entries_added, self.appended, self.version,
            tail.last, tail.live, tail.bytes,
        )  # fmt: skip
        seldom = (
            self.max_deleted_id, self.large, self.full_nodes, self.full_bytes, tail.first, tail.deleted, tail.names,
        )  # fmt: skip
        if seldom == self._saved:
            self._store.run(_UPDATE_OFTEN, (*often, self.id))
        else:
            self._store.run(_UPDATE_ALL, (*often, *seldom, self.id))
            self._saved = seldom

    # -- ahead of the tables: see `single` -------------------------------------------------

    def state(self) -> tuple[Any, ...]:
        """All that adding to the tail changes, for `restore`."""
        tail = self.tail
        node = None if tail is None else (tail.last, tail.live, tail.bytes)
        return (
            self.length, self.last_id, self.entries_added, self.appended, self.version, self._first, tail, node,
            len(self.ahead), self._behind,
        )  # fmt: skip

    def restore(self, state: tuple[Any, ...]) -> None:
        """The inverse of `state`."""
        (
            self.length, self.last_id, self.entries_added, self.appended, self.version, self._first, tail, node,
            ahead, self._behind,
        ) = state  # fmt: skip
        self.tail = tail
        if tail is not None:
            tail.last, tail.live, tail.bytes = node
        del self.ahead[ahead:]

    def get_ahead(self, id: bytes, fields: bytes) -> None:
        """Keep an entry until `catch_up`, which will write the row as well."""
        self.ahead.append((self.id, id, fields))
        self._behind = True

    def catch_up(self) -> None:
        """Put into the tables what they lack, or may lack; `caught_up` when that is kept."""
        self._saved = None
        self._store.run_many("INSERT OR REPLACE INTO entries VALUES (?,?,?)", self.ahead)
        self._save()

    def caught_up(self) -> None:
        self.ahead.clear()
        self._behind = False

    def destroy(self) -> None:
        """Delete every row but the key's."""
        for group in self.groups():
            group.destroy_rows()
        self.producers.forget_all()
        for table in ("entries", "large", "nodes", "groups"):
            self._store.run(f"DELETE FROM {table} WHERE stream=?", (self.id,))
        self._store.run("DELETE FROM streams WHERE key=?", (self.id,))

    def copy_rows(self, new: int) -> None:
        """Everything again under another key; this one's rows are up to date."""
        run = self._store.run
        columns = f"{_COLUMNS}, {_IDMP}"
        run(f"INSERT INTO streams (key, {columns}) SELECT ?, {columns} FROM streams WHERE key=?", (new, self.id))
        run("INSERT INTO entries SELECT ?, id, fields FROM entries WHERE stream=?", (new, self.id))
        run("INSERT INTO large SELECT ?, id, fields FROM large WHERE stream=?", (new, self.id))
        run(
            "INSERT INTO nodes SELECT ?, first, last, live, deleted, bytes, names FROM nodes WHERE stream=?",
            (new, self.id),
        )
        self.producers.copy_rows(new)
        for group in self.groups():
            group.copy_rows(new)

    # -- entries -----------------------------------------------------------------------

    def append(self, id: bytes, words: Sequence[bytes], limits: NodeLimits) -> None:
        """Add an entry above `last_id`; `words` are field, value, field, value ..."""
        store, tail = self._store, self.tail
        fields = pack_words(words)
        size = len(fields) - len(words) if fields[0] == 0 else sum(map(len, words))  # joined by as many bytes
        full = tail is not None and tail.full(size, limits)
        if not full and len(fields) <= large.LARGE_BYTES and store.single.may_add():
            store.single.add(self, id, fields)
        else:
            if len(fields) > large.LARGE_BYTES:
                fields = large.put(store, self.id, id, fields)
                self.large += 1
            store.run("INSERT INTO entries VALUES (?,?,?)", (self.id, id, fields))
        names = words[::2]
        if tail is not None and full:
            self._seal(tail)
            tail = None
        if tail is None:
            tail = self.tail = Node(id, id, 0, 0, header_size(names), pack_words(names))
        tail.last = id
        tail.live += 1
        tail.bytes += entry_size(id, tail.first, words, tail.has_names(names))
        if not self.length:
            self._first = id
        self.length += 1
        self.appended += 1
        self.entries_added = signed(self.entries_added + 1)  # Redis: an unsigned counter, shown as a signed one
        self.last_id = id
        self.changed()

    def first_id(self) -> bytes | None:
        """The oldest entry's ID."""
        if not self.length:
            return None
        if self._first is None:
            sql = "SELECT id FROM entries WHERE stream=? ORDER BY id LIMIT 1"
            row = self._store.run(sql, (self.id,)).fetchone()
            if row is None:
                raise DamagedError
            self._first = row[0]
        return self._first

    def top_id(self) -> bytes | None:
        """The newest entry's ID; `last_id` is at or above it."""
        row = self._store.run("SELECT id FROM entries WHERE stream=? ORDER BY id DESC LIMIT 1", (self.id,)).fetchone()
        return row[0] if row else None

    def range(
        self, low: bytes, high: bytes, most: int = -1, *, backwards: bool = False, most_bytes: int = 0
    ) -> list[Entry]:
        """The entries from `low` to `high`, both included; at most `most`, -1 for all.

        `most_bytes`: none behind the one whose fields make more than that; 0 for any number.
        """
        sql = "SELECT id, fields FROM entries WHERE stream=? AND id>=? AND id<=? ORDER BY id"
        order = "DESC" if backwards else "ASC"
        return self._whole(self._store.run(f"{sql} {order} LIMIT ?", (self.id, low, high, most)), most, most_bytes)

    def after(self, id: bytes, most: int = -1, *, most_bytes: int = 0) -> list[Entry]:
        """The entries above `id`; at most `most`, -1 for all, and `most_bytes` as in `range`."""
        sql = "SELECT id, fields FROM entries WHERE stream=? AND id>? ORDER BY id LIMIT ?"
        return self._whole(self._store.run(sql, (self.id, id, most)), most, most_bytes)

    def _whole(self, rows: Cursor, most: int, most_bytes: int) -> list[Entry]:
        if not most_bytes or (0 <= most <= _FEW and not self.large):
            return self._filled(rows.fetchall())
        found: list[Entry] = []
        size = 0
        some = _FEW if not self.large else 1
        while size <= most_bytes and (more := self._filled(rows.fetchmany(some))):
            found += more
            size += sum([len(fields) for _, fields in more])
        return found

    def _filled(self, rows: list[Entry]) -> list[Entry]:
        """With the fields that have a table of their own."""
        if not self.large:
            return rows
        return [(id, large.whole(self._store, self.id, id, fields)) for id, fields in rows]

    def fields(self, id: bytes) -> bytes | None:
        """One entry's packed fields; None when it is gone."""
        row = self._store.run("SELECT fields FROM entries WHERE stream=? AND id=?", (self.id, id)).fetchone()
        return large.whole(self._store, self.id, id, row[0]) if row else None

    def has(self, id: bytes) -> bool:
        return self._store.run("SELECT 1 FROM entries WHERE stream=? AND id=?", (self.id, id)).fetchone() is not None

    def delete(self, id: bytes) -> bool:
        """Delete one entry; True if it was there. Its node forgets it only when it is the last one."""
        if not self._delete("=", id):
            return False
        tail = self.tail
        if tail is not None and id >= tail.first:
            self._lose(tail, 1)
        else:
            node = self._node("first<=? ORDER BY first DESC", id)
            if node is None:
                raise DamagedError
            self._lose(node, 1)
        self.length -= 1
        if id == self._first:
            self._first = None
        self.changed()
        return True

    def _delete(self, which: str, id: bytes) -> int:
        """Delete the rows of entries whose IDs compare so: how many there were."""
        where = f"WHERE stream=? AND id{which}?"
        gone = self._store.run(f"DELETE FROM entries {where}", (self.id, id)).rowcount
        if gone and self.large:
            self.large -= self._store.run(f"DELETE FROM large {where}", (self.id, id)).rowcount
        return gone

    # -- nodes ---------------------------------------------------------------------------

    def node_count(self) -> int:
        return self.full_nodes + (self.tail is not None)

    def size(self) -> int:
        """What Redis's listpacks would take, nearly."""
        return self.full_bytes + (self.tail.bytes if self.tail else 0)

    def first_node(self) -> Node | None:
        return (self._node("1 ORDER BY first") if self.full_nodes else None) or self.tail

    def drop_first_node(self, node: Node) -> None:
        """Delete the oldest node with all its entries."""
        self._delete("<=", node.last)
        self.length -= node.live
        self._first = None
        self._lose(node, node.live)
        self.changed()

    def drop_from_first_node(self, node: Node, *, most: int | None = None, below: bytes | None = None) -> int:
        """Delete the oldest node's first `most` entries, or those below an ID: how many went."""
        if most is not None:
            sql = "SELECT id FROM entries WHERE stream=? ORDER BY id LIMIT 1 OFFSET ?"
            row = self._store.run(sql, (self.id, most - 1)).fetchone()
            gone = self._delete("<=", row[0]) if row else 0
        else:
            assert below is not None
            gone = self._delete("<", below)
        if gone:
            self._lose(node, gone)
            self.length -= gone
            self._first = None
            self.changed()
        return gone

    def node_after(self, node: Node) -> Node | None:
        if node is self.tail:
            return None
        return self._node("first>? ORDER BY first", node.first) or self.tail

    def ids_in(self, node: Node, *, most: int = -1, below: bytes | None = None, acked: bool = False) -> list[bytes]:
        """The first entries of a node: at most `most` (-1: all), those below an ID, those that no group needs."""
        sql = "SELECT id FROM entries AS e WHERE stream=? AND id>=? AND id<=?"
        values: list[int | bytes] = [self.id, node.first, node.last]
        if below is not None:
            sql += " AND id<?"
            values.append(below)
        read = self.read_by_all() if acked else None
        if read is not None:
            sql += f" AND id<=? AND NOT EXISTS ({_WHO_HAS_IT}p.id=e.id)"
            values += [read, self.id]
        return [row[0] for row in self._store.run(f"{sql} ORDER BY id LIMIT ?", (*values, most)).fetchall()]

    def drop(self, node: Node, ids: list[bytes]) -> None:
        """Delete some entries of a node; they are there."""
        if not ids:
            return
        for id in ids:
            self._delete("=", id)
        self._lose(node, len(ids))
        self.length -= len(ids)
        self._first = None
        self.changed()

    def _node(self, where: str, *values: bytes) -> Node | None:
        """A full node; the tail is not looked at."""
        row = self._store.run(
            f"SELECT first, last, live, deleted, bytes, names FROM nodes WHERE stream=? AND {where} LIMIT 1",
            (self.id, *values),
        ).fetchone()
        return Node(*row) if row else None

    def _seal(self, tail: Node) -> None:
        last = min(tail.last, self.last_id)  # XSETID may have gone back behind what was deleted; what comes is above it
        self._store.run(
            "INSERT INTO nodes VALUES (?,?,?,?,?,?,?)",
            (self.id, tail.first, last, tail.live, tail.deleted, tail.bytes, tail.names),
        )
        self.full_nodes += 1
        self.full_bytes += tail.bytes

    def _lose(self, node: Node, entries: int) -> None:
        """Entries of a node were deleted; without a live one it goes, and the one before may be filled again."""
        node.live -= entries
        node.deleted += entries
        if node is not self.tail:
            if node.live:
                self._store.run(
                    "UPDATE nodes SET live=?, deleted=? WHERE stream=? AND first=?",
                    (node.live, node.deleted, self.id, node.first),
                )
            else:
                self._drop_row(node)
        elif not node.live:
            self.tail = self._node("1 ORDER BY first DESC")
            if self.tail is not None:
                self._drop_row(self.tail)

    def _drop_row(self, node: Node) -> None:
        self.full_nodes -= 1
        self.full_bytes -= node.bytes
        self._store.run("DELETE FROM nodes WHERE stream=? AND first=?", (self.id, node.first))

    # -- groups --------------------------------------------------------------------------

    def group(self, name: bytes) -> Group | None:
        found = self._groups.get(name)
        if found is None:
            for loaded in Group.load(self._store, self.id, name):
                found = self._groups[name] = loaded
        return found

    def groups(self) -> list[Group]:
        """In the order of their names' bytes, as Redis lists them."""
        for group in Group.load(self._store, self.id):
            self._groups.setdefault(group.name, group)
        return [group for _, group in sorted(self._groups.items())]

    def group_count(self) -> int:
        count: int = self._store.run("SELECT count(*) FROM groups WHERE stream=?", (self.id,)).fetchone()[0]
        return count

    def make_group(self, name: bytes, last_id: bytes, entries_read: int | None) -> Group:
        """A new group; there must be none of that name."""
        group = self._groups[name] = Group.make(self._store, self.id, name, last_id, entries_read)
        return group

    def delete_group(self, group: Group) -> None:
        del self._groups[group.name]
        group.destroy_rows()
        self._store.run("DELETE FROM groups WHERE id=?", (group.id,))

    # -- what groups need ------------------------------------------------------------------

    def read_by_all(self) -> bytes | None:
        """The last ID up to which every group has been given entries; None when there is no group."""
        return min((group.last_id for group in self.groups()), default=None)

    def referenced(self, id: bytes) -> bool:
        """Is there a group that has yet to be given this ID, or has it pending? The entry need not be there."""
        read = self.read_by_all()
        if read is None:
            return False
        return id > read or self._store.run(f"{_WHO_HAS_IT}p.id=? LIMIT 1", (self.id, id)).fetchone() is not None

    def unreference(self, low: bytes, high: bytes) -> None:
        """What is pending of the entries from `low` to `high` that are there is so no more, in any group."""
        for group in self.groups():
            if group.pending:
                group.acknowledge_all(low, high)
