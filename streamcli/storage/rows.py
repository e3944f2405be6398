"""A row that is kept as an object between commands, and written once when their transaction commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamcli.storage.store import Store


class Row:
    """Set fields, call `changed`; the store calls `write` when it is time."""

    __slots__ = ("_behind", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._behind = False

    def changed(self) -> None:
        """The table is behind; it is caught up with when the transaction commits."""
        if not self._behind:
            self._behind = True
            self._store.later(self)

    def write(self) -> None:
        """Write the fields to the table."""
        self._behind = False
        self._save()

    def _save(self) -> None:
        raise NotImplementedError
