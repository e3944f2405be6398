"""The names there are: keys, groups, consumers, IDs and fields, for the completer to offer.

A getter never waits: it answers what is known, maybe nothing, and what is
missing or old is asked for by one thread in the background. Whatever goes wrong
there means no names, and never an error. All of it is bounded: names in number
and length, pages of a SCAN, the share of time that looking takes. Which of the
names fits where is the completer's business.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from streamcli.grammar.parse import Call
from streamcli.reply import Reply
from streamcli.shell.asking import (
    ASK,
    NAME_MAX,
    NAMES_MAX,
    SEEN_MAX,
    STREAMS_MAX,
    Held,
    StreamIds,
    Topic,
    ask_page,
    seen_in,
)
from streamcli.shell.index import BLOCK, Block, Keys
from streamcli.shell.lookup import Browse

KEYS_MAX = 100_000
_BYTES_MAX = 8 << 20  # of all keys
_PAGE = b"250"
_PAGES_MAX, _NEAR_PAGES_MAX = 4000, 400
_PAUSE_S, _PAUSE_MAX_S = 0.002, 0.05
_FRESH_S, _TOOK_MAX_S = 2.0, 3.0
_KEPT_MAX, _WANTED_MAX, _WIDE_MAX = 256, 32, 20
_FAILURES, _QUIET_MAX_S = 3, 60.0

_KEYS, _WIDE = Topic("keys"), Topic("wide")
_LONG = ("keys", "near")  # sweeps: they let quicker questions in between two pages


class Known(Protocol):
    """What is known now. A `key` of None means any stream: its name comes later in the line."""

    def keys(self, prefix: bytes = b"", type: bytes = b"stream") -> Keys: ...

    def groups(self, key: bytes | None) -> Sequence[bytes]: ...

    def consumers(self, key: bytes | None, group: bytes) -> Sequence[bytes]: ...

    def ids(self, key: bytes) -> StreamIds: ...

    def fields(self, key: bytes) -> Sequence[bytes]: ...

    def pending(self, key: bytes, group: bytes) -> Sequence[Held]: ...


class _Kept(NamedTuple):
    """An answer, when it came, and how long finding it took."""

    value: Any
    at: float
    took: float
    stale: bool = False

    def due(self, now: float) -> bool:
        """Is it time to ask again? Looking is to take a small part of the time, even when everything changes."""
        return now - self.at > (4 * self.took if self.stale else max(_FRESH_S, 20 * self.took))


class Names:
    """`browse` is asked from a thread of its own; `on_change` is called there when something new has come."""

    def __init__(
        self, browse: Browse, on_change: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._browse, self._on_change, self._clock = browse, on_change, clock
        self._lock = threading.Condition()  # never held while anything is asked
        self._life = 0  # counts backends; a thread ends when it is not its own any more
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._forget_everything()

    def _forget_everything(self) -> None:
        self._kept: dict[Topic, _Kept] = {}
        self._wanted: dict[Topic, None] = {}  # the latest is served first
        self._under_way: set[Topic] = set()
        self._seen: dict[bytes, tuple[bytes, ...]] = {}  # IDs by stream, latest last
        self._made: dict[bytes, None] = {}  # keys that replies have shown and that no sweep has found yet
        self._made_keys = Keys()
        self._near: dict[bytes, tuple[bytes, Keys]] = {}  # by type: what a sweep for one prefix alone has found
        self._forgotten = 0
        self._failures = 0
        self._quiet_until = 0.0

    # -- what is known ------------------------------------------------------------------

    def keys(self, prefix: bytes = b"", type: bytes = b"stream") -> Keys:
        """The keys of a type, or (empty) of any; when too many, those with the prefix are looked for on their own."""
        topic = Topic("keys", type=type)
        self._get(topic)
        swept = self._swept(topic)
        made = self._made_keys if type in (b"stream", b"") else Keys()
        if prefix and len(prefix) <= NAME_MAX and not swept.whole and topic not in self._under_way:
            near, found = self._near.get(type, (b"", Keys()))
            if prefix == near:
                self._get(Topic("near", prefix, type=type))
            elif not (near and prefix.startswith(near) and found.whole):
                self._want(Topic("near", prefix, type=type))
            return swept + found + made
        return swept + made

    def _swept(self, topic: Topic) -> Keys:
        """What the last sweep has found; none is not the whole."""
        kept = self._kept.get(topic)
        return Keys(whole=False) if kept is None or kept.value is None else kept.value

    @property
    def _found(self) -> Keys:
        """The streams."""
        return self._swept(_KEYS)

    def groups(self, key: bytes | None) -> Sequence[bytes]:
        if key is not None:
            return self._get(Topic("groups", key)) or ()
        with self._lock:  # both, before the thread can take one of them: what it takes first is the last wanted
            self._get(_WIDE)
            self._get(_KEYS)
        return sorted({name for _, names in self._kept_groups() for name in names})[:NAMES_MAX]

    def consumers(self, key: bytes | None, group: bytes) -> Sequence[bytes]:
        if key is not None:
            return self._get(Topic("consumers", key, group)) or ()
        keys = [key for key, names in self._kept_groups() if group in names]
        found = [self._get(Topic("consumers", key, group)) or () for key in keys[-_WIDE_MAX:]]
        return sorted({name for names in found for name in names})[:NAMES_MAX]

    def ids(self, key: bytes) -> StreamIds:
        ids: StreamIds = self._get(Topic("ids", key)) or StreamIds()
        return ids._replace(seen=self._seen.get(key, ()))

    def fields(self, key: bytes) -> Sequence[bytes]:
        return self._get(Topic("fields", key)) or ()

    def pending(self, key: bytes, group: bytes) -> Sequence[Held]:
        return self._get(Topic("pending", key, group)) or ()

    def _kept_groups(self) -> list[tuple[bytes, tuple[bytes, ...]]]:
        with self._lock:
            return [(topic.key, kept.value or ()) for topic, kept in self._kept.items() if topic.kind == "groups"]

    # -- what the session tells -----------------------------------------------------------

    def noticed(self, call: Call, reply: Reply) -> None:
        """Learn from a reply that is on the screen."""
        for key, ids in seen_in(call, reply):
            if len(key) > NAME_MAX:
                continue
            before = self._seen.pop(key, ())
            self._seen[key] = tuple(dict.fromkeys([*ids, *before]))[:SEEN_MAX]
            while len(self._seen) > STREAMS_MAX:
                del self._seen[next(iter(self._seen))]
            if key not in self._made and key not in self._found:
                with self._lock:
                    self._made[key] = None
                    while len(self._made) > STREAMS_MAX:
                        del self._made[next(iter(self._made))]
                    self._made_keys = Keys.of(self._made)

    def forget(self, call: Call) -> None:
        """What a command may have changed is old now; it is shown until there is something newer."""
        calls = [call, *call.queued]
        if not any(one.command is None or one.command.writes for one in calls):
            return
        keys: set[bytes] = set()
        all_of_it = other_kinds = False
        for one in calls:
            if one.command is None or one.command.writes:
                named = {word for role, word in zip(one.roles, one.argv, strict=False) if role and role.kind == "key"}
                keys |= named
                all_of_it = all_of_it or not named
                other_kinds = other_kinds or one.command is None or one.command.group != "stream"
        known = self._found + self._made_keys
        listed = all_of_it or other_kinds or (known.whole and not all(key in known for key in keys))
        with self._lock:
            self._forgotten += 1
            for topic, kept in self._kept.items():
                if all_of_it or topic == _WIDE or (listed if topic.kind in _LONG else topic.key in keys):
                    self._kept[topic] = kept._replace(stale=True)

    def reset(self, browse: Browse) -> None:
        """Another backend or database: nothing is known of it."""
        with self._lock:
            self._life += 1
            self._browse, self._thread = browse, None
            self._forget_everything()
            self._lock.notify_all()

    def stop(self) -> None:
        """Ask no more. A question under way is not waited for."""
        with self._lock:
            self._life += 1
            self._stopped = True
            self._lock.notify_all()

    # -- the thread -----------------------------------------------------------------------

    def _get(self, topic: Topic) -> Any:
        kept = self._kept.get(topic)
        if kept is None or kept.due(self._clock()):
            self._want(topic)
        return None if kept is None else kept.value

    def _want(self, topic: Topic) -> None:
        with self._lock:
            if self._stopped or topic in self._under_way:
                return
            if topic.kind == "near":  # one prefix follows another as it is typed
                self._wanted = {wanted: None for wanted in self._wanted if wanted.kind != "near"}
            self._wanted.pop(topic, None)
            self._wanted[topic] = None
            if len(self._wanted) > _WANTED_MAX:
                del self._wanted[next(iter(self._wanted))]
            if self._thread is None:
                life, browse = self._life, self._browse
                self._thread = threading.Thread(target=self._run, args=(life, browse), name="names", daemon=True)
                with suppress(RuntimeError):  # no thread to be had: no names
                    self._thread.start()
            self._lock.notify()

    def _run(self, life: int, browse: Browse) -> None:
        while (topic := self._next(life)) is not None:
            self._serve(topic, life, browse)

    def _next(self, life: int, between: bool = False) -> Topic | None:
        """What is wanted next; None when there is no more to do. `between` two pages only what is quick is done."""
        with self._lock:
            while life == self._life:
                if self._clock() < self._quiet_until:
                    self._wanted.clear()
                for topic in reversed(self._wanted):
                    if not between or topic.kind not in _LONG:
                        del self._wanted[topic]
                        self._under_way.add(topic)
                        return topic
                if between:
                    return None
                self._lock.wait()
            return None

    def _serve(self, topic: Topic, life: int, browse: Browse) -> None:
        began, forgotten = self._clock(), self._forgotten
        value: Any = None
        with suppress(Exception):  # whatever a backend does, it is no reason to trouble the user
            if topic == _WIDE:
                value = self._look_around(life, browse)
            elif topic.kind in _LONG:
                value = self._sweep(topic, life, browse)
            else:
                value = ASK[topic.kind](browse, topic)
        self._keep(topic, life, value, began, stale=value is False or forgotten != self._forgotten)

    def _keep(self, topic: Topic, life: int, value: Any, began: float, stale: bool, done: bool = True) -> None:
        """A value of None is a failure: what was known stays. Not `done`: more of it is to come."""
        with self._lock:
            if life != self._life:
                return
            now = self._clock()
            kept = self._kept.get(topic)
            before = kept.value if kept else None
            self._kept[topic] = _Kept(before if value is None else value, now, min(now - began, _TOOK_MAX_S), stale)
            if done:
                self._under_way.discard(topic)
            if value is None:
                self._failures += 1
                if self._failures >= _FAILURES:
                    self._quiet_until = now + min(_QUIET_MAX_S, 2.0 ** (self._failures - _FAILURES + 1))
            else:
                self._failures = 0
            for old in list(self._kept)[: max(0, len(self._kept) - _KEPT_MAX)]:
                if old.kind != "keys":
                    del self._kept[old]
        if value is not None and value != before:
            with suppress(Exception):
                self._on_change()

    def _look_around(self, life: int, browse: Browse) -> bool:
        """Learn the groups of some streams: those lately on the screen, then the first ones. False: no stream yet."""
        lately = list(self._seen)[::-1]
        keys = list(dict.fromkeys([*lately, *self._found.starting(b"", _WIDE_MAX)]))[:_WIDE_MAX]
        for key in keys:
            topic = Topic("groups", key)
            kept = self._kept.get(topic)
            if kept is None or kept.due(self._clock()):
                self._serve(topic, life, browse)
            if self._pause(life, _PAUSE_S):
                break
        return bool(keys)

    def _sweep(self, topic: Topic, life: int, browse: Browse) -> Keys | int | None:
        """The keys of a type, page by page; of a prefix alone, their number. None: this life is over."""
        near = topic.key
        pattern = re.sub(rb"([\\*?\[\]])", rb"\\\1", near) + b"*" if near else b""
        began, made, forgotten = self._clock(), list(self._made), self._forgotten
        first = not near and not len(self._swept(topic))
        blocks: list[Block] = []
        page: list[bytes] = []
        cursor, count, size, told = b"0", 0, 0, 0
        for number in range(1, 1 + (_NEAR_PAGES_MAX if near else _PAGES_MAX)):
            asked = self._clock()
            cursor, names = ask_page(browse, cursor, pattern, _PAGE, topic.type)
            page += names
            count += len(names)
            size += sum(map(len, names))
            if len(page) >= BLOCK:
                blocks.append(Block(page))
                page = []
            if cursor == b"0" or count >= KEYS_MAX or size >= _BYTES_MAX:
                break
            if first and count > told and number & (number - 1) == 0:  # something to show: at pages 1, 2, 4, 8 ...
                told = count
                self._keep(topic, life, Keys([*blocks, Block(page)], whole=False), began, stale=True, done=False)
            if self._pause(life, min(max(_PAUSE_S, self._clock() - asked), _PAUSE_MAX_S)):
                return None
            while (quick := self._next(life, between=True)) is not None:
                self._serve(quick, life, browse)
            if near and any(wanted.kind == "near" for wanted in list(self._wanted)):
                break  # a longer prefix has been typed
        keys = Keys([*blocks, Block(page)] if page else blocks, whole=cursor == b"0")
        with self._lock:
            if life != self._life:
                return None  # these are names of a place that has been left
            if near:
                self._near[topic.type] = (near, keys)
            elif forgotten == self._forgotten and topic == _KEYS:
                for key in made:
                    self._made.pop(key, None)
                self._made_keys = Keys.of(self._made)
        return len(keys) if near else keys

    def _pause(self, life: int, seconds: float) -> bool:
        """Leave the time to others. True when nobody needs this life any more."""
        with self._lock:
            return self._lock.wait_for(lambda: life != self._life, seconds)
