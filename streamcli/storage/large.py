"""Fields too long to stand among the entries.

SQLite compares whole rows of a table that is clustered by its key, so one
entry of 100 MB would be read for each look-up of its neighbours. Such fields
have a table of their own, found by a small index; a mark stands in their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamcli.storage.schema import DamagedError

if TYPE_CHECKING:
    from streamcli.storage.store import Store

LARGE_BYTES = 4096
LARGE = b"\2"  # no packed fields begin so


def put(store: Store, stream: int, id: bytes, fields: bytes) -> bytes:
    """Keep packed fields apart: what to keep in their place."""
    store.run("INSERT INTO large (stream, id, fields) VALUES (?,?,?)", (stream, id, fields))
    return LARGE


def whole(store: Store, stream: int, id: bytes, fields: bytes) -> bytes:
    """Packed fields, wherever they are."""
    if fields != LARGE:
        return fields
    row = store.run("SELECT fields FROM large WHERE stream=? AND id=?", (stream, id)).fetchone()
    if row is None:
        raise DamagedError
    found: bytes = row[0]
    return found
