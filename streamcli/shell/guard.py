"""What a command would destroy, asked before it is sent.

The rule: ask when a command removes entries, groups or pending entries that it
does not name one by one, or a whole key that exists. Looks at the data through
`browse` only, by commands that read a bounded amount; numbers that would cost
more are cut off and say so. Does not know who asks the user, or how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from time import monotonic
from typing import Any, NamedTuple, TypeAlias

from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Arg
from streamcli.ids import StreamID, parse_id
from streamcli.reply import Error, Reply, Verbatim
from streamcli.shell.lookup import (
    Browse,
    counted,
    is_missing,
    kind,
    named,
    number,
    record,
    records,
)
from streamcli.times import span_text

COUNTED_MAX = 10_000  # entries below a MINID that are counted one by one
_STREAMS_MAX = 2_000  # whose entries are counted
_SCANS_MAX = 200
_SCAN_COUNT = b"1000"
_FIRST_PAGE, _PAGE_MAX = 16, 1_000  # entries; the first page shows how large they are
_PAGE_BYTES, _BYTES_MAX = 1_000_000, 4_000_000
_PATIENCE_SECONDS = 1.0  # for a count over many keys of a server far away


class _NothingAtStakeError(Exception):
    """There is no such key, or the command is not for it: its own answer will say so."""


class _NotKnownError(Exception):
    """A look-up failed: ask without numbers."""


class _Case(NamedTuple):
    """A call that may destroy something, and what there is to find out about it."""

    call: Call
    browse: Browse
    now_ms: int
    db: int | None

    @property
    def args(self) -> dict[str, Any]:
        return self.call.args

    @property
    def key(self) -> bytes:
        key: bytes = self.call.args["key"]
        return key

    @property
    def database(self) -> str:
        return "this database" if self.db is None else f"database {self.db}"

    def ask(self, *argv: bytes) -> Reply:
        """The reply. Raises when there is none."""
        reply = self.browse(argv)
        if isinstance(reply, Error):
            raise _NothingAtStakeError if is_missing(reply) else _NotKnownError
        return reply

    def count(self, *argv: bytes) -> int:
        """The number that is the reply. Raises when there is none."""
        found = number(self.ask(*argv))
        if found is None:
            raise _NotKnownError
        return found


_Guard: TypeAlias = Callable[[_Case], str | None]
_GUARDS: dict[str, tuple[_Guard, _Guard]] = {}


def guards(*names: str, blind: _Guard) -> Callable[[_Guard], _Guard]:
    """Register what says what a command would destroy; `blind` says it when the data cannot be seen."""

    def register(guard: _Guard) -> _Guard:
        _GUARDS.update(dict.fromkeys(names, (guard, blind)))
        return guard

    return register


def stakes(call: Call, browse: Browse, now_ms: int, db: int | None = None) -> str | None:
    """What the command would destroy, as a sentence safe for a terminal; None when there is nothing to ask.

    `call` is a strict parse; `db` the number of the database in use, when it is known.
    """
    if call.command is None or call.problems or call.command.name not in _GUARDS:
        return None
    guard, blind = _GUARDS[call.command.name]
    case = _Case(call, browse, now_ms, db)
    try:
        said = guard(case)
    except _NothingAtStakeError:
        return None
    except _NotKnownError:
        said = blind(case)
    return said and f"{call.command.name} {said}"


# -- entries ---------------------------------------------------------------------------


class _Trimmed(NamedTuple):
    """How many of a stream's entries a trim takes; `about` is `up to`, `more than`, or nothing."""

    entries: int
    length: int
    about: str

    @property
    def all(self) -> bool:
        return self.entries == self.length and not self.about

    @property
    def amount(self) -> str:
        return f"{self.about}{self.entries:,}"


@guards("XTRIM", blind=lambda case: f"removes entries of {named(case.key)}")
def _xtrim(case: _Case) -> str | None:
    trimmed = _trimmed(case, 0)
    if not trimmed.entries:
        return None
    also = " with what is pending of them" if "delref" in case.args else ""
    if trimmed.all:
        return f"removes {_every(trimmed.length)} of {named(case.key)}{also}"
    return f"removes {trimmed.amount} of the {counted(trimmed.length, 'entry')} of {named(case.key)}{also}"


@guards("XADD", blind=lambda case: f"may remove entries of {named(case.key)}" if _trims(case) else None)
def _xadd(case: _Case) -> str | None:
    if not _trims(case):
        return None
    trimmed = _trimmed(case, 1)
    own = _own_entry_goes(case)
    if trimmed.entries + own <= 1:  # no more than it adds
        return None
    if _by_nodes(case) and _fits_in_a_node(case, trimmed.entries):
        return None
    amount = _every(trimmed.length) if trimmed.all else f"{trimmed.about}{counted(trimmed.entries, 'entry')}"
    return f"removes {amount} of {named(case.key)} and {'the one it adds' if own else 'adds 1'}"


def _every(length: int) -> str:
    return "the only entry" if length == 1 else f"all {counted(length, 'entry')}"


def _trims(case: _Case) -> bool:
    return "maxlen" in case.args or "minid" in case.args


def _is_approximate(case: _Case) -> bool:
    return case.args.get("maxlen_mark", case.args.get("minid_mark")) == "~"


def _by_nodes(case: _Case) -> bool:
    """Do whole nodes go only? With an eye on the groups even `~` looks into them."""
    return _is_approximate(case) and "delref" not in case.args and "acked" not in case.args


def _trimmed(case: _Case, added: int) -> _Trimmed:
    """What goes of the entries that are there now; `~` and ACKED may leave any of it, and LIMIT caps it."""
    length = case.count(b"XLEN", case.key)
    if "maxlen" in case.args:
        count, more = max(0, min(length, length + added - case.args["maxlen"])), False
    else:
        count, more = _below(case, case.args["minid"], length)
    if not _is_approximate(case):
        if "acked" in case.args:
            return _Trimmed(length if more else count, length, "up to ")
        return _Trimmed(count, length, "more than " if more else "")
    limit = case.args.get("limit") or length
    return _Trimmed(min(length if more else count, limit), length, "up to ")


def _below(case: _Case, minid: StreamID, length: int) -> tuple[int, bool]:
    """How many entries have a smaller ID; True with it when there are more than that.

    Entries can only be counted by reading them, so pages are small while
    entries are large, and the count ends after so many bytes.
    """
    end = minid.previous()
    if end is None or not length:
        return 0, False
    if case.ask(b"XRANGE", case.key, minid.text, b"+", b"COUNT", b"1") == []:
        return length, False
    low, count, size, page = b"-", 0, 0, _FIRST_PAGE
    while True:
        entries = case.ask(b"XRANGE", case.key, low, end.text, b"COUNT", b"%d" % page)
        if not isinstance(entries, list):
            raise _NotKnownError
        count += len(entries)
        if len(entries) < page:
            return count, False
        size += sum(map(_size, entries))
        if count > COUNTED_MAX or size > _BYTES_MAX:
            return count - 1, True
        low = _after(entries[-1])
        page = min(_PAGE_MAX, COUNTED_MAX + 1 - count, max(1, _PAGE_BYTES * count // (size or 1)))


def _size(entry: Reply) -> int:
    fields = entry[1] if isinstance(entry, list) and len(entry) == 2 else None
    return sum([len(word) for word in fields if isinstance(word, bytes)]) if isinstance(fields, list) else 0


def _after(entry: Reply) -> bytes:
    """Where the page after this entry begins."""
    id = parse_id(entry[0]) if isinstance(entry, list) and entry and isinstance(entry[0], bytes) else None
    following = id and id.next()
    if following is None:
        raise _NotKnownError
    return following.text


def _own_entry_goes(case: _Case) -> bool:
    """Does XADD remove the entry that it adds, too? (For an ID that the server makes, by our clock.)"""
    if "maxlen" in case.args:
        return bool(case.args["maxlen"] == 0)
    new, minid = case.args["id"], case.args["minid"]
    ms = case.now_ms if new.ms is None else new.ms
    return bool((ms, new.seq or 0) < minid)


def _fits_in_a_node(case: _Case, count: int) -> bool:
    """Is it less than a node has on average? `~` removes whole nodes only, so most such XADDs remove nothing.

    Without this, each XADD to a stream that is kept at `MAXLEN ~ 1000` would be asked about.
    """
    stream = record(case.ask(b"XINFO", b"STREAM", case.key))
    nodes, length = number(stream.get(b"radix-tree-keys")), number(stream.get(b"length"))
    return bool(nodes and length and count * nodes < length)


@guards("XCFGSET", blind=lambda case: f"may forget what producers have added to {named(case.key)}")
def _xcfgset(case: _Case) -> str | None:
    stream = record(case.ask(b"XINFO", b"STREAM", case.key))
    given = {b"idmp-duration": case.args.get("idmp_duration"), b"idmp-maxsize": case.args.get("idmp_maxsize")}
    known = number(stream.get(b"iids-tracked"))
    if known is None:
        raise _NotKnownError
    if not known or all(value in (None, number(stream.get(name))) for name, value in given.items()):
        return None  # a setting that stays what it was forgets nothing
    return f"forgets {counted(known, 'message')} that producers have added to {named(case.key)}"


# -- groups ----------------------------------------------------------------------------


def _group_of(case: _Case) -> str:
    return f"the group {named(case.args['group'])} of {named(case.key)}"


@guards("XGROUP DESTROY", blind=lambda case: f"deletes {_group_of(case)}")
def _xgroup_destroy(case: _Case) -> str | None:
    for group in records(case.ask(b"XINFO", b"GROUPS", case.key)):
        if group.get(b"name") == case.args["group"]:
            parts = ((b"consumers", "consumer"), (b"pending", "pending entry"))
            known = [(number(group.get(name)), noun) for name, noun in parts]
            counts = ", ".join(counted(count, noun) for count, noun in known if count is not None)
            return f"deletes {_group_of(case)}" + (f": {counts}" if counts else "")
    return None


@guards(
    "XGROUP DELCONSUMER", blind=lambda case: f"forgets the pending entries of {named(case.args['consumer'])}"
)  # fmt: skip
def _xgroup_delconsumer(case: _Case) -> str | None:
    for consumer in records(case.ask(b"XINFO", b"CONSUMERS", case.key, case.args["group"])):
        if consumer.get(b"name") == case.args["consumer"]:
            pending = number(consumer.get(b"pending"))
            if pending is None:
                raise _NotKnownError
            forgotten = f"forgets {counted(pending, 'pending entry')} of {named(case.args['consumer'])}"
            return forgotten if pending else None
    return None


# -- whole keys ------------------------------------------------------------------------


def _content(case: _Case, key: bytes) -> str:
    """The key with what it holds: `a (2,000 entries, 2 groups)`. Raises when there is no such key."""
    holds = kind(case.browse, key)
    if holds == "none":
        raise _NothingAtStakeError
    if not holds:
        raise _NotKnownError
    if holds != "stream":
        return f"{named(key)} ({holds})"
    groups = case.ask(b"XINFO", b"GROUPS", key)
    parts = [counted(case.count(b"XLEN", key), "entry")]
    if isinstance(groups, list) and groups:
        parts.append(counted(len(groups), "group"))
    return f"{named(key)} ({', '.join(parts)})"


def _entries_in(case: _Case, streams: Iterable[bytes], *, more: bool = False) -> str:
    """` (12,000 entries)`: what all these streams hold; empty when that is nothing.

    Stops after so many streams, or so long. `more`: there are streams besides these.
    """
    until = monotonic() + _PATIENCE_SECONDS
    total = 0
    names = iter(streams)
    for name in islice(names, _STREAMS_MAX):
        total += number(case.browse((b"XLEN", name))) or 0
        if monotonic() > until:
            break
    more = more or next(names, None) is not None
    return f" ({'more than ' if more else ''}{counted(total, 'entry')})" if total else ""


def _distinct(case: _Case) -> list[bytes]:
    return list(dict.fromkeys(case.args["key"]))


def _keys(case: _Case) -> str:
    keys = _distinct(case)
    return named(keys[0]) if len(keys) == 1 else counted(len(keys), "key")


@guards("DEL", "UNLINK", blind=lambda case: f"deletes {_keys(case)}")
def _delete(case: _Case) -> str | None:
    keys = _distinct(case)
    if len(keys) > 1:
        there = case.count(b"EXISTS", *keys)
        if there != 1:
            return f"deletes {counted(there, 'key')}{_entries_in(case, keys)}" if there else None
        keys = [key for key in islice(keys, _STREAMS_MAX) if kind(case.browse, key) != "none"]
    return f"deletes {_content(case, keys[0])}" if keys else "deletes 1 key"


def _streams(case: _Case) -> Iterator[bytes]:
    """The streams of the database, page by page, as far as a bounded look goes."""
    until = monotonic() + _PATIENCE_SECONDS
    cursor = b"0"
    for _ in range(_SCANS_MAX):
        page = case.browse((b"SCAN", cursor, b"COUNT", _SCAN_COUNT, b"TYPE", b"stream"))
        if not (isinstance(page, list) and len(page) == 2 and isinstance(page[1], list)):
            return
        yield from (name for name in page[1] if isinstance(name, bytes))
        if not isinstance(page[0], bytes) or page[0] == b"0" or monotonic() > until:
            return
        cursor = page[0]


@guards("FLUSHDB", blind=lambda case: f"deletes all keys of {case.database}")
def _flushdb(case: _Case) -> str | None:
    keys = case.count(b"DBSIZE")
    if not keys:
        return None
    of_all = "the only key" if keys == 1 else f"all {counted(keys, 'key')}"
    return f"deletes {of_all} of {case.database}{_entries_in(case, _streams(case))}"


@guards("FLUSHALL", blind=lambda case: "deletes all keys of all databases")
def _flushall(case: _Case) -> str | None:
    """Entries are counted in the database in use; of the others only the keys are known."""
    here = case.count(b"DBSIZE")
    text = case.ask(b"INFO", b"keyspace")
    data = text.data if isinstance(text, Verbatim) else text if isinstance(text, bytes) else b""
    keys = [found for found in map(_keys_of_line, data.splitlines()) if found]
    if not keys:
        if here:
            raise _NotKnownError
        return None
    total, entries = sum(keys), _entries_in(case, _streams(case)) if here else ""
    of_all = "the only key" if total == 1 else f"all {counted(total, 'key')}"
    if total == here:
        return f"deletes {of_all}{entries}"
    where = "1 database" if len(keys) == 1 else f"{len(keys)} databases"
    return f"deletes {of_all} of {where}" + (entries and f"{entries[:-1]} in {case.database} alone)")


def _keys_of_line(line: bytes) -> int | None:
    """The number in a line of INFO: `db0:keys=14,expires=0,avg_ttl=0`."""
    name, _, rest = line.partition(b":keys=")
    return number(rest.partition(b",")[0]) if name[:2] == b"db" and name[2:].isdigit() else None


@guards("RENAME", blind=lambda case: f"replaces {named(case.args['newkey'])} if it exists")
def _rename(case: _Case) -> str | None:
    new = case.args["newkey"]
    if new == case.key or kind(case.browse, case.key) == "none":
        return None
    return f"replaces {_content(case, new)}"


@guards("COPY", blind=lambda case: f"replaces {named(case.args['destination'])} if it exists")
def _copy(case: _Case) -> str | None:
    args = case.args
    if not args.get("replace") or kind(case.browse, args["source"]) == "none":
        return None
    if args.get("db", case.db) != case.db:
        return f"replaces {named(args['destination'])} of database {args['db']} if it exists"
    return None if args["source"] == args["destination"] else f"replaces {_content(case, args['destination'])}"


@guards("RESTORE", blind=lambda case: f"replaces {named(case.key)}, whatever it holds")
def _restore(case: _Case) -> str | None:
    if not case.args.get("replace") or kind(case.browse, case.key) == "none":
        return None
    return f"replaces {_content(case, case.key)}"


@guards("SET", blind=lambda case: f"replaces {named(case.key)}, whatever it holds")
def _set(case: _Case) -> str | None:
    """A string is what SET is for; anything else that is there would be lost."""
    if case.args.get("nx") or case.args.get("get") or kind(case.browse, case.key) == "string":
        return None
    return f"replaces {_content(case, case.key)}"


_SOON_MS = 10_000  # hardly anybody is quick enough to take it back
_UNITS = {"seconds": (1000, True), "milliseconds": (1, True), "unix-time": (1000, False), "unix-time-ms": (1, False)}


@guards("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", blind=lambda case: _at_once(case, named(case.key)))
def _expire(case: _Case) -> str | None:
    said = _at_once(case, named(case.key))
    if said is None:
        return None
    expires = case.count(b"PTTL", case.key) != -1
    if case.args.get("gt") or (case.args.get("nx") and expires) or (case.args.get("xx") and not expires):
        return None
    return _at_once(case, _content(case, case.key))


@guards("GETDEL", blind=lambda case: f"deletes {named(case.key)}")
def _getdel(case: _Case) -> str | None:
    return f"deletes {named(case.key)}" if kind(case.browse, case.key) == "string" else None


def _at_once(case: _Case, what: str) -> str | None:
    """What to say of a time that has passed already; None when it has not, or is refused as no time."""
    arg = next(role.part for role in case.call.roles if role is not None and role.kind in _UNITS)
    assert isinstance(arg, Arg)
    unit_ms, relative = _UNITS[arg.type.name]
    value = case.args[arg.key] * unit_ms
    left_ms = value - (0 if relative else case.now_ms)
    if value < -(2**63) or left_ms > _SOON_MS:
        return None
    if left_ms <= 0:
        return f"deletes {what} at once: the time has passed"
    return f"deletes {what} in {span_text(left_ms) or f'{left_ms} ms'}"


def guarded() -> frozenset[str]:
    """The names of the commands that may be asked about."""
    return frozenset(_GUARDS)
