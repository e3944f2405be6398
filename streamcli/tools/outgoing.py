"""Records on their way into streams: taken one by one, and put into commands or into the wire's bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from streamcli.backend import Ready
from streamcli.resp import encode, encode_command
from streamcli.tools.entries import id_of
from streamcli.tools.landing import STAND_IN, Landing
from streamcli.tools.quick import Alike

if TYPE_CHECKING:
    from streamcli.tools.records import Batch, Record


class Rest:
    """Records still to come; the one that was taken last can be put back."""

    def __init__(self, records: Iterator[Record]) -> None:
        self._records = records
        self._back: Record | None = None

    def take(self) -> Record | None:
        """The next; None at the end."""
        record, self._back = self._back, None
        return next(self._records, None) if record is None else record

    def back(self, record: Record) -> None:
        self._back = record


def commands(batch: Batch, landing: Landing) -> Iterator[list[bytes]]:
    key = landing.key
    if batch.ids is None:
        for words in batch.words:
            yield [b"XADD", key, b"*", *(words or STAND_IN)]
        return
    for id, words in zip(batch.ids, batch.words, strict=True):
        if words is None:
            landing.stand_ins.append(id_of(id))
            yield [b"XADD", key, id, *STAND_IN]
        else:
            yield [b"XADD", key, id, *words]


def ready(batch: Batch, landing: Landing) -> Ready:
    words, ids = batch.words, batch.ids
    if isinstance(words, Alike) and ids is not None:
        return Ready(words.commands(landing.key), words.replies(), len(words))
    data = b"".join(map(encode_command, commands(batch, landing)))
    return Ready(data, b"".join(map(encode, ids or ())), len(words))
