"""Files that hold entries, read in batches: our own JSON lines, and JSON and CSV from elsewhere.

Knows what a line says, and which line says it. Does not know what becomes of it.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby
from typing import IO, Any, Final

from streamcli.ids import StreamID, parse_id
from streamcli.text import visible
from streamcli.tools import quick
from streamcli.tools.arrays import Array
from streamcli.tools.records import VERSION, Batch, End, GroupLine, Header, LineError, PendingLine, Record, Settings
from streamcli.tools.rows import Rows
from streamcli.tools.state import Consumer, Group, Pending, State

_CHUNK: Final = 32 * 1024  # what comes of it stays in a processor's own cache: much faster than with 256 kB
_MARK: Final = b"\xef\xbb\xbf"  # of UTF-8, which some programs write first
_AT_ONCE: Final = 500
_DECODER: Final = json.JSONDecoder()
_SHOWN: Final = 40  # characters of a line that an error repeats
PAIR: Final = 2


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, many at a time; the last of them is without its end."""
    rest: list[bytes] = []
    while chunk := file.read(_CHUNK):
        if b"\n" not in chunk:
            rest.append(chunk)
            continue
        head, _, tail = chunk.rpartition(b"\n")
        yield b"".join((*rest, head))
        rest = [tail]
    last = b"".join(rest)
    if last:
        yield last


def jsonl(file: IO[bytes], rows: Rows) -> Iterator[Record]:
    """Records of a file with an object a line. Raises LineError, and what reading the file raises."""
    ours: bool | None = None
    next_line = 1
    for text in lines_of(file):
        first = next_line
        if ours and (found := quick.entries(text)) is not None:
            next_line += len(found)
            yield Batch(None, range(first, next_line), found.ids, found)
            continue
        lines = (text.removeprefix(_MARK) if first == 1 else text).split(b"\n")
        next_line += len(lines)
        numbers: Sequence[int] = range(first, next_line)
        if not all(map(bytes.strip, lines)):
            numbers = [at for at, line in zip(numbers, lines, strict=True) if line.strip()]
            lines = [line for line in lines if line.strip()]
            if not lines:
                continue
        if ours is None:
            ours = is_ours(_object(lines[0], numbers[0], json.loads))
        yield from _read(_objects(lines, numbers, json.loads if ours else rows.decoder.decode), numbers, rows, ours)


def array(file: IO[bytes], rows: Rows) -> Iterator[Record]:
    """Records of a file that is one JSON array. Raises LineError, and what reading the file raises."""
    ours: bool | None = None
    objects: list[Any] = []
    numbers: list[int] = []
    found = Array(file, rows.decoder.raw_decode)
    for number, value in found:
        if ours is None:
            ours = is_ours(value)
            if ours:
                found.decode = _DECODER.raw_decode
        objects.append(value)
        numbers.append(number)
        if len(objects) >= _AT_ONCE:
            yield from _read(objects, numbers, rows, ours)
            objects, numbers = [], []
    if objects:
        yield from _read(objects, numbers, rows, ours is True)


def _read(objects: list[Any], numbers: Sequence[int], rows: Rows, ours: bool) -> Iterator[Record]:
    return read(objects, numbers) if ours else iter((rows.batch(objects, numbers),))


def is_ours(first: Any) -> bool:
    """Is a file as we write it, by its first object?"""
    return isinstance(first, dict) and ("export" in first or is_entry(first))


def is_entry(value: Any) -> bool:
    """Is it an entry as we write it?"""
    return isinstance(value, dict) and "id" in value and isinstance(value.get("fields", 0), list | None)


def _objects(lines: list[bytes], numbers: Sequence[int], loads: Callable[[str], Any]) -> list[Any]:
    """What the lines say. Raises LineError."""
    try:  # all of them as one document; a line end inside a string is no JSON, so that none hides in another
        found = loads((b"[" + b",\n".join(lines) + b"]").decode())
        if len(found) == len(lines):
            return list(found)
    except (ValueError, RecursionError):
        pass
    return [_object(line, number, loads) for line, number in zip(lines, numbers, strict=True)]


def _object(line: bytes, number: int, loads: Callable[[str], Any]) -> Any:
    try:
        return loads(line.decode())
    except UnicodeDecodeError as error:
        raise LineError(number, f"it is not UTF-8 at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        if error.pos >= len(line.rstrip()) or error.msg.startswith("Unterminated string"):
            raise LineError(number, "it ends in the middle; was the file cut off?") from None
        raise LineError(number, f"it is no JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError) as error:
        raise LineError(number, f"it cannot be read: {error}") from None


# -- our own records -----------------------------------------------------------------


def read(objects: list[Any], numbers: Sequence[int]) -> Iterator[Record]:
    """What objects of our own schema say. Raises LineError."""
    try:
        streams = {str(one.get("stream")) for one in objects}
        ids = [one["id"] for one in objects]
        fields = [one["fields"] for one in objects]
    except (KeyError, AttributeError):
        yield from _mixed(objects, numbers)
        return
    if len(streams) == 1:
        yield _batch(objects[0], numbers, ids, fields)
        return
    for _, run in groupby(range(len(objects)), lambda at: str(objects[at].get("stream"))):
        some = list(run)
        low, high = some[0], some[-1] + 1
        yield _batch(objects[low], numbers[low:high], ids[low:high], fields[low:high])


def _mixed(objects: list[Any], numbers: Sequence[int]) -> Iterator[Record]:
    """Objects of which some are no entries."""
    for entry, run in groupby(
        range(len(objects)), lambda at: isinstance(objects[at], dict) and "fields" in objects[at]
    ):
        some = list(run)
        if entry and all("id" in objects[at] for at in some):
            yield from read([objects[at] for at in some], [numbers[at] for at in some])
            continue
        for at in some:
            try:
                yield _other(objects[at], numbers[at])
            except LineError:
                raise
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
                raise LineError(numbers[at], f"it is no line of an export: {_shown(objects[at])}") from None


def _shown(value: Any) -> str:
    text = visible(json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _batch(first: Any, numbers: Sequence[int], ids: list[Any], fields: list[Any]) -> Batch:
    stream = first.get("stream")
    name = None if stream is None else data(stream, numbers[0])
    try:
        texts = "\0".join(ids).encode().split(b"\0")
        words = _all_words(fields)
    except (TypeError, ValueError):
        words, texts = None, []
    if words is None or len(texts) != len(ids):
        texts = [_id_text(one, number) for one, number in zip(ids, numbers, strict=True)]
        slow = [_words(one, number) for one, number in zip(fields, numbers, strict=True)]
        return Batch(name, numbers, texts, slow)
    return Batch(name, numbers, texts, words)


def _id_text(value: Any, number: int) -> bytes:
    if not isinstance(value, str) or not value.isascii():
        raise LineError(number, "its id is no text such as 5-1")
    return value.encode()


def _all_words(fields: list[Any]) -> list[list[bytes] | None] | None:
    """The names and values of many entries, in one sweep; None unless they are all plain text.

    Raises TypeError and ValueError for most of what is not.
    """
    pairs = list(chain.from_iterable(fields))
    if set(map(type, pairs)) != {list} or set(map(len, pairs)) != {PAIR} or set(map(type, fields)) != {list}:
        return None
    texts = list(chain.from_iterable(pairs))
    flat = "\0".join(texts).encode().split(b"\0")
    if len(flat) != len(texts):
        return None
    words: list[list[bytes] | None] = []
    at = 0
    for one in fields:
        if not one:
            return None
        words.append(flat[at : (at := at + PAIR * len(one))])
    return words


def _words(fields: Any, number: int) -> list[bytes] | None:
    if fields is None:
        return None
    if not isinstance(fields, list) or not all(isinstance(pair, list) and len(pair) == PAIR for pair in fields):
        raise LineError(number, "its fields are no array of [name, value] pairs")
    if not fields:
        raise LineError(number, "an entry needs a field")
    return [data(word, number) for pair in fields for word in pair]


def data(value: Any, number: int) -> bytes:
    """The bytes of a string of ours: text, or an object with its base64. Raises LineError."""
    try:
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, dict) and len(value) == 1 and isinstance(value["base64"], str):
            return a2b_base64(value["base64"], strict_mode=True)
    except UnicodeEncodeError:
        raise LineError(number, "half of a surrogate pair is no character") from None
    except (KeyError, ValueError, Base64Error):
        pass
    raise LineError(number, f'{_shown(value)} is no text, and no {{"base64": ...}}')


def _other(value: Any, number: int) -> Record:
    """A record that is no entry. Raises KeyError, TypeError, ValueError, LineError."""
    if "export" in value:
        if value["export"] != VERSION:
            raise LineError(number, f"the file is of version {_shown(value['export'])}, this program reads {VERSION}")
        return Header(number, [data(one, number) for one in value["streams"]], value["groups"] is True)
    if "end" in value:
        counts = value["end"]
        return End(number, _whole(counts["entries"]), _whole(counts["groups"]), _whole(counts["pending"]))
    stream = data(value["stream"], number)
    if "settings" in value:
        told = value["settings"]
        expires = told.get("expires")
        return Settings(number, stream, _state(told), None if expires is None else _whole(expires))
    name = data(value["group"], number)
    if "id" in value:
        consumer = value["consumer"]
        whose = None if consumer is None else data(consumer, number)
        row = Pending(_id(value["id"]), whose, _whole(value["delivery-time"]), _whole(value["deliveries"]))
        return PendingLine(number, stream, name, row)
    read = value["entries-read"]
    consumers = tuple(
        Consumer(data(one["name"], number), one.get("seen-time"), one.get("active-time"), _whole(one["pending"]))
        for one in value["consumers"]
    )
    place = _id(value["last-delivered-id"])
    return GroupLine(number, stream, Group(name, place, read if read is None else _whole(read), 0, consumers))


def _state(told: Any) -> State:
    added, deleted = told["entries-added"], told["max-deleted-entry-id"]
    duration, most = told.get("idmp-duration"), told.get("idmp-maxsize")
    return State(
        length=_whole(told["length"]),
        last_id=_id(told["last-generated-id"]),
        first_id=None,
        entries_added=None if added is None else _whole(added),
        max_deleted_id=None if deleted is None else _id(deleted),
        groups=(),
        idmp=None if duration is None else (_whole(duration), _whole(most)),
    )


def _id(text: str) -> StreamID:
    id = parse_id(text.encode())
    if id is None:
        raise ValueError
    return id


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value
