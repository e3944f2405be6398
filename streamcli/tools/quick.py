"""Lines of JSON taken apart without a JSON parser, where they are all alike: many times as fast.

Most files hold nothing else: entries as we write them, of plain text, each with
as many fields as the next. Where there is no backslash, a quotation mark always
begins or ends a string, so that one split has all strings of many lines, and
what stands between them can be compared in one go. Whatever looks different is
left to the parser, which has the words for what is wrong. The same pieces with
other bytes between them are the commands that add the entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, overload

from streamcli.resp import encode

_CONTROLS: Final = bytes(range(32))
_BEFORE, _PER_PAIR = 6, 4  # quotation marks of `{"id":"1-0","fields":[[`, and of `["name","value"]`
_NAME, _ID, _FIELDS, _FIRST = 1, 3, 5, 7  # where strings stand among the pieces of a line
_OWN_WORDS: Final = 3  # of an XADD: its name, the key, the ID
_HEADS_KEPT: Final = 4096


class Alike(Sequence[list[bytes]]):
    """The names and values of entries that have as many fields each, kept as the pieces of their lines.

    `width` pieces are a line's, every other one a string; one piece more is behind the last line.
    """

    __slots__ = ("_count", "_pieces", "_width")

    def __init__(self, pieces: list[bytes], width: int, count: int) -> None:
        self._pieces, self._width, self._count = pieces, width, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> list[bytes]: ...
    @overload
    def __getitem__(self, at: slice) -> Alike: ...
    def __getitem__(self, at: int | slice) -> list[bytes] | Alike:
        """One entry's, or those of entries that follow each other."""
        width = self._width
        if isinstance(at, slice):
            start, stop, _ = at.indices(self._count)
            count = max(0, stop - start)
            return Alike(self._pieces[start * width : (start + count) * width + 1], width, count)
        line = range(self._count)[at] * width
        return self._pieces[line + _FIRST : line + width : 2]

    def __iter__(self) -> Iterator[list[bytes]]:
        columns = [self._pieces[at :: self._width] for at in range(_FIRST, self._width, 2)]
        return map(list, zip(*columns, strict=True))

    def __contains__(self, words: object) -> bool:
        return words is not None and super().__contains__(words)

    def count(self, words: object) -> int:
        return 0 if words is None else super().count(words)

    @property
    def ids(self) -> list[bytes]:
        return self._pieces[_ID :: self._width]

    def commands(self, key: bytes) -> bytes:
        """The XADD of every entry with its ID, as a client sends them."""
        pieces, width, count = list(self._pieces), self._width, self._count
        words = _OWN_WORDS + (width - _BEFORE) // 2
        begin = b"*%d\r\n$4\r\nXADD\r\n$%d\r\n%b" % (words, len(key), key)
        pieces[::width] = [begin, *[b"\r\n" + begin] * (count - 1), b"\r\n"]
        pieces[_NAME::width] = pieces[_FIELDS - 1 :: width] = pieces[_FIELDS::width] = [b""] * count
        for at in (_ID, *range(_FIRST, width, 2)):
            column = pieces[at::width]
            sizes = set(map(len, column))
            pieces[at - 1 :: width] = [_head(*sizes)] * count if len(sizes) == 1 else map(_head, map(len, column))
        return b"".join(pieces)

    def replies(self) -> bytes:
        """What a server answers to those commands: their IDs."""
        ids = self.ids
        sizes = set(map(len, ids))
        if len(sizes) > 1:
            return b"".join(map(encode, ids))
        head = b"$%d\r\n" % sizes.pop()
        return head + (b"\r\n" + head).join(ids) + b"\r\n"


class _Heads(dict[int, bytes]):
    """What stands between a word of a command and the word before it, which has so many bytes."""

    def __missing__(self, size: int) -> bytes:
        head = b"\r\n$%d\r\n" % size
        if size < _HEADS_KEPT:
            self[size] = head
        return head


_head: Final = _Heads().__getitem__


def entries(text: bytes) -> Alike | None:
    """The entries of lines `{"id":"1-0","fields":[["name","value"]]}`; None for any others.

    The last line is without its end.
    """
    width = text.partition(b"\n")[0].count(b'"')
    if width <= _BEFORE or (width - _BEFORE) % _PER_PAIR or b"\\" in text:
        return None
    pieces = text.split(b'"')
    count, rest = divmod(len(pieces) - 1, width)
    if rest:
        return None
    line = b'{":",":[["%b' % b'"],["'.join([b","] * ((width - _BEFORE) // _PER_PAIR))
    if b'"'.join(pieces[::2]) != line + (b'"]]}\n' + line) * (count - 1) + b'"]]}':
        return None
    if pieces[_NAME::width] != [b"id"] * count or pieces[_FIELDS::width] != [b"fields"] * count:
        return None
    if len(text.translate(None, _CONTROLS)) != len(text) - count + 1 or not _is_utf8(text):
        return None
    return Alike(pieces, width, count)


def _is_utf8(text: bytes) -> bool:
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False
