"""Names are looked up in the background: at once, bounded, and never an error."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from streamcli.backend.embedded import Embedded
from streamcli.grammar.parse import Call, parse
from streamcli.reply import NIL_ARRAY, Error, Map, Reply, Simple
from streamcli.shell import names as names_module
from streamcli.shell.asking import seen_in
from streamcli.shell.index import Keys
from streamcli.shell.lookup import record
from streamcli.shell.names import Names

PATIENCE_S = 20


def call(line: str, *queued: str) -> Call:
    read = parse(line.encode().split())
    read.queued = [call(one) for one in queued]
    return read


# -- the index -----------------------------------------------------------------------------


def test_keys_are_found_by_how_they_begin_in_order() -> None:
    keys = Keys.of([b"b", b"ab", b"a", b"abc", b"B", b""])
    assert keys.starting(b"a", 9) == [b"a", b"ab", b"abc"]
    assert keys.starting(b"a", 2) == [b"a", b"ab"]
    assert keys.starting(b"", 9) == [b"", b"B", b"a", b"ab", b"abc", b"b"]
    assert keys.starting(b"x", 9) == []
    assert (len(keys), b"ab" in keys, b"x" in keys) == (6, True, False)


def test_keys_are_found_by_what_they_hold_in_any_case() -> None:
    keys = Keys.of([b"app:Orders", b"orders", b"payments", b"ORDERS:2"])
    assert keys.matching(b"orders", 9) == [b"orders", b"ORDERS:2", b"app:Orders"]
    assert keys.matching(b"orders", 2) == [b"orders", b"ORDERS:2"]
    assert keys.matching(b"orders", 9, {b"orders"}) == [b"ORDERS:2", b"app:Orders"]
    assert keys.matching(b"", 9, {b"orders"}) == [b"ORDERS:2", b"app:Orders", b"payments"]


def test_any_bytes_can_be_a_key_and_no_find_lies_across_two() -> None:
    keys = Keys.of([b"a\nb", b"a", b"b", b"\xff\x00", b"b\na", b"\n"])
    assert keys.matching(b"a\nb", 9) == [b"a\nb"]
    assert keys.matching(b"\na", 9) == [b"b\na"]
    assert keys.matching(b"\x00", 9) == [b"\xff\x00"]
    assert keys.matching(b"\n", 9) == [b"\n", b"a\nb", b"b\na"]


def test_an_index_of_many_blocks_finds_what_a_plain_search_finds() -> None:
    dice = random.Random(7)
    plain = sorted({b"%s:%05d" % (dice.choice([b"Users", b"jobs", b"x"]), dice.randrange(99_999)) for _ in range(9000)})
    keys = Keys.of(plain) + Keys.of([b"jobs:more"])
    plain = sorted([*plain, b"jobs:more"])
    assert len(keys) == len(plain)
    for text in (b"", b"jobs:1", b"users:00", b"9999", b":1234", b"x:", b"nowhere", b"jobs:more"):
        begin = [name for name in plain if name.startswith(text)]
        hold = [name for name in plain if text in name.lower() and name not in begin]
        assert keys.matching(text, 10_000) == begin + hold
        assert keys.matching(text, 5)[: len(begin)] == begin[:5]
        assert set(keys.matching(text, 5)) <= {*begin, *hold}


# -- replies -----------------------------------------------------------------------------------


def test_a_record_is_read_from_a_map_and_from_a_flat_array() -> None:
    assert record([b"a", 1, b"b", [b"x"]]) == {b"a": 1, b"b": [b"x"]}
    assert record(Map([(b"a", 1), (Simple("b"), None)])) == {b"a": 1, b"b": None}
    nonsense: list[Reply] = [None, 5, b"x", Error("ERR x"), [], [b"odd"], [[], 5], Map([(None, 1)])]
    for reply in nonsense:
        assert record(reply) == {}


@pytest.mark.parametrize(
    ("line", "reply", "seen"),
    [
        ("XADD s * f v", b"5-1", [(b"s", [b"5-1"])]),
        ("XADD s NOMKSTREAM * f v", None, []),
        ("XRANGE s - +", [[b"1-1", [b"f", b"v"]], [b"1-2", [b"f", b"v"]]], [(b"s", [b"1-2", b"1-1"])]),
        ("XREAD STREAMS s t 0 0", [[b"t", [[b"1-1", [b"f", b"v"]]]]], [(b"t", [b"1-1"])]),
        ("XREAD STREAMS s t 0 0", Map([(b"t", [[b"1-1", [b"f", b"v"]]])]), [(b"t", [b"1-1"])]),
        ("XREADGROUP GROUP g c STREAMS s 0", [[b"s", []]], []),
        ("XPENDING s g - + 9", [[b"1-1", b"c", 5, 1]], [(b"s", [b"1-1"])]),
        ("XCLAIM s g c 0 1-1 JUSTID", [b"1-1"], [(b"s", [b"1-1"])]),
        ("XAUTOCLAIM s g c 0 0 JUSTID", [b"0-0", [b"1-1"], []], [(b"s", [b"1-1"])]),
        ("XAUTOCLAIM s g c 0 0", [b"0-0", [[b"1-1", [b"f", b"v"]]], []], [(b"s", [b"1-1"])]),
        ("XREAD STREAMS s 0", NIL_ARRAY, []),
        ("XRANGE s - +", Error("ERR x"), []),
        ("XRANGE s - +", [[b"nonsense", [b"f", b"v"]]], []),
        ("GET s", b"1-1", []),
        ("NOPE s", b"1-1", []),
        ("KEYS *", [b"1-1"], []),
    ],
)
def test_ids_are_learned_from_what_is_on_the_screen(line: str, reply: Reply, seen: list[object]) -> None:
    assert seen_in(call(line), reply) == seen


def test_ids_are_learned_from_what_exec_answers() -> None:
    assert seen_in(call("EXEC", "XADD s * f v", "XLEN s"), [b"5-1", 1]) == [(b"s", [b"5-1"])]


# -- names of a real engine -----------------------------------------------------------------------


class Desk:
    """Names beside a backend, a clock that stands still until it is moved, and a way to wait for what arrives."""

    def __init__(self, browse: Callable[[Sequence[bytes]], Reply]) -> None:
        self.now = 0.0
        self.came = threading.Condition()
        self.asked: list[bytes] = []
        self.browse = browse
        self.names = Names(self.ask, self.changed, clock=lambda: self.now)

    def ask(self, argv: Sequence[bytes]) -> Reply:
        try:
            return self.browse(argv)
        finally:
            with self.came:
                self.asked.append(b" ".join(argv))
                self.came.notify_all()

    def changed(self) -> None:
        with self.came:
            self.came.notify_all()

    def until(self, get: Callable[[], object], wanted: object) -> None:
        """Wait for a getter to give what is wanted: it is asked again whenever something may have happened."""
        for _ in range(PATIENCE_S * 100):
            if get() == wanted:
                return
            with self.came:
                self.came.wait(0.01)
        assert get() == wanted

    def until_asked(self, times: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: len(self.asked) >= times, PATIENCE_S)

    def keys(self) -> list[bytes]:
        return self.names.keys().starting(b"", 1000)


@pytest.fixture
def backend() -> Embedded:
    backend = Embedded()
    for line in (
        "XADD a 1-1 temp 5 place x",
        "XADD a 2-1 temp 6",
        "XADD a 3-1 temp 7",
        "XADD b 1-1 f v",
        "SET s v",
        "XGROUP CREATE a g1 0",
        "XGROUP CREATE a g2 0",
        "XGROUP CREATE b g3 0",
        "XGROUP CREATECONSUMER a g1 alice",
        "XGROUP CREATECONSUMER b g3 bob",
    ):
        assert not isinstance(backend.execute(line.encode().split()), Error)
    return backend


@pytest.fixture
def desk(backend: Embedded) -> Iterator[Desk]:
    desk = Desk(backend.browse)
    yield desk
    desk.names.stop()


@pytest.mark.parametrize("protocol", [b"2", b"3"])
def test_names_come_in_the_background(backend: Embedded, protocol: bytes) -> None:
    desk = Desk(backend.execute)
    backend.execute([b"HELLO", protocol])
    assert (desk.keys(), desk.names.groups(b"a"), desk.names.ids(b"a")[1:]) == ([], (), (None, None, None))
    desk.until(desk.keys, [b"a", b"b"])
    desk.until(lambda: desk.names.groups(b"a"), (b"g1", b"g2"))
    desk.until(lambda: desk.names.consumers(b"a", b"g1"), (b"alice",))
    desk.until(lambda: desk.names.ids(b"a")[1:], (b"1-1", b"3-1", b"3-1"))
    desk.until(lambda: desk.names.fields(b"a"), (b"temp", b"place"))
    desk.names.stop()


def test_what_is_no_stream_has_no_names(desk: Desk) -> None:
    for key in (b"s", b"none"):
        desk.names.groups(key)
        desk.names.consumers(key, b"g")
        desk.names.ids(key)
        desk.names.fields(key)
    desk.until_asked(8)
    for key in (b"s", b"none"):
        found = desk.names.groups(key), desk.names.consumers(key, b"g"), desk.names.fields(key), desk.names.ids(key)
        assert found == ((), (), (), ((), None, None, None))


def test_groups_of_any_stream_are_known_before_the_stream_is_named(desk: Desk) -> None:
    desk.until(lambda: list(desk.names.groups(None)), [b"g1", b"g2", b"g3"])
    desk.until(lambda: list(desk.names.consumers(None, b"g3")), [b"bob"])


def test_what_is_fresh_is_not_asked_for_again_and_what_is_old_is(backend: Embedded, desk: Desk) -> None:
    desk.until(lambda: desk.names.groups(b"b"), (b"g3",))
    asked = len(desk.asked)
    backend.execute(b"XGROUP CREATE b g4 0".split())
    desk.now = 1.9
    assert desk.names.groups(b"b") == (b"g3",)
    assert len(desk.asked) == asked
    desk.now = 2.1
    assert desk.names.groups(b"b") == (b"g3",)  # the old, while the new is being fetched
    desk.until(lambda: desk.names.groups(b"b"), (b"g3", b"g4"))


def test_what_a_command_has_changed_is_fetched_at_once(backend: Embedded, desk: Desk) -> None:
    desk.until(desk.keys, [b"a", b"b"])
    desk.until(lambda: desk.names.groups(b"b"), (b"g3",))
    for line, keys, groups in (
        ("XGROUP CREATE b g4 0", [b"a", b"b"], (b"g3", b"g4")),
        ("XGROUP CREATE c g5 0 MKSTREAM", [b"a", b"b", b"c"], (b"g3", b"g4")),
        ("DEL b", [b"a", b"c"], ()),
        ("RENAME a b", [b"b", b"c"], (b"g1", b"g2")),
        ("FLUSHALL", [], ()),
    ):
        desk.now += 0.001
        backend.execute(line.encode().split())
        desk.names.forget(call(line))
        desk.until(desk.keys, keys)
        desk.until(lambda: desk.names.groups(b"b"), groups)


def test_what_exec_has_changed_is_fetched_at_once(backend: Embedded, desk: Desk) -> None:
    desk.until(lambda: desk.names.groups(b"b"), (b"g3",))
    desk.now += 0.001
    backend.execute(b"XGROUP DESTROY b g3".split())
    desk.names.forget(call("EXEC", "XLEN a", "XGROUP DESTROY b g3"))
    desk.until(lambda: desk.names.groups(b"b"), ())


def test_a_command_that_reads_makes_nothing_old(desk: Desk) -> None:
    desk.until(desk.keys, [b"a", b"b"])
    desk.until(lambda: desk.names.groups(b"a"), (b"g1", b"g2"))
    asked = len(desk.asked)
    desk.now += 1
    desk.names.forget(call("XRANGE a - +"))
    assert (desk.keys(), desk.names.groups(b"a")) == ([b"a", b"b"], (b"g1", b"g2"))
    assert len(desk.asked) == asked


def test_ids_on_the_screen_and_new_streams_are_known_at_once(desk: Desk) -> None:
    desk.until(desk.keys, [b"a", b"b"])
    desk.names.noticed(call("XADD new * f v"), b"9-1")
    assert desk.keys() == [b"a", b"b", b"new"]
    desk.names.noticed(call("XADD new * f v"), b"9-2")
    assert desk.names.ids(b"new").seen == (b"9-2", b"9-1")
    desk.names.noticed(call("XRANGE new - +"), [[b"9-1", [b"f", b"v"]]])
    assert desk.names.ids(b"new").seen == (b"9-1", b"9-2")
    desk.now += 3
    desk.until(desk.keys, [b"a", b"b"])  # it was not really there


def test_what_is_remembered_of_replies_is_bounded(desk: Desk) -> None:
    for n in range(1000):
        desk.names.noticed(call(f"XADD s{n} * f v"), b"%d-1" % n)
        desk.names.noticed(call("XADD s * f v"), b"%d-1" % n)
    assert len(desk.names.ids(b"s").seen) == 10
    assert desk.names.ids(b"s0").seen == ()
    desk.names.noticed(call(f"XADD {'k' * 1000} * f v"), b"1-1")
    assert desk.names.ids(b"k" * 1000).seen == ()


def test_many_keys_come_page_by_page(backend: Embedded, desk: Desk) -> None:
    for n in range(1200):
        backend.execute([b"XADD", b"n%04d" % n, b"1-1", b"f", b"v"])
        backend.execute([b"SET", b"z%04d" % n, b"v"])
    desk.until(lambda: (len(desk.names.keys()), desk.names.keys().whole), (1202, True))
    assert desk.names.keys().matching(b"n119", 3) == [b"n1190", b"n1191", b"n1192"]
    assert {line.split()[0] for line in desk.asked} == {b"SCAN"}
    assert {line.split(b" ", 2)[2] for line in desk.asked} == {b"COUNT 250 TYPE stream"}


def test_keys_are_looked_for_by_type_and_each_type_is_kept_apart(backend: Embedded, desk: Desk) -> None:
    def keys(type: bytes) -> list[bytes]:
        return desk.names.keys(b"", type).starting(b"", 9)

    desk.until(lambda: keys(b""), [b"a", b"b", b"s"])
    desk.until(lambda: keys(b"string"), [b"s"])
    desk.until(lambda: desk.names.keys(b"", b"hash").whole, True)
    desk.until(desk.keys, [b"a", b"b"])
    assert (keys(b"hash"), keys(b"string"), keys(b"")) == ([], [b"s"], [b"a", b"b", b"s"])
    assert {line for line in desk.asked if b"SCAN" in line} == {
        b"SCAN 0 COUNT 250", *[b"SCAN 0 COUNT 250 TYPE " + type for type in (b"stream", b"string", b"hash")]
    }  # fmt: skip
    backend.execute([b"SET", b"t", b"v"])
    desk.names.forget(call("SET t v"))
    desk.now += 0.1
    desk.until(lambda: keys(b"string"), [b"s", b"t"])
    desk.until(lambda: keys(b""), [b"a", b"b", b"s", b"t"])


def test_a_new_stream_that_a_reply_has_shown_is_a_key_but_no_string(desk: Desk) -> None:
    desk.names.noticed(call("XADD new * f v"), b"5-1")
    assert [desk.names.keys(b"", type).starting(b"", 9) for type in (b"", b"stream", b"string")] == [
        [b"new"], [b"new"], []
    ]  # fmt: skip


def test_keys_of_a_prefix_are_looked_for_by_type(
    backend: Embedded, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names_module, "KEYS_MAX", 100)
    for n in range(600):
        backend.execute([b"SET", b"n%04d" % n, b"v"])
    desk.until(lambda: len(desk.names.keys(b"", b"")) > 0 and not desk.names.keys(b"", b"").whole, True)
    desk.until(lambda: desk.names.keys(b"n059", b"").starting(b"n0599", 9), [b"n0599"])
    assert b"SCAN 0 MATCH n059* COUNT 250" in desk.asked


def test_when_there_are_too_many_keys_those_with_the_typed_prefix_are_looked_for(
    backend: Embedded, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names_module, "KEYS_MAX", 100)
    for n in range(600):
        backend.execute([b"XADD", b"n*%04d" % n, b"1-1", b"f", b"v"])
    desk.until(lambda: len(desk.names.keys()) > 0 and not desk.names.keys().whole, True)
    assert desk.names.keys().starting(b"n*0599", 9) == []
    desk.until(lambda: desk.names.keys(b"n*059").starting(b"n*0599", 9), [b"n*0599"])
    assert b"SCAN 0 MATCH n\\*059* COUNT 250 TYPE stream" in desk.asked


def test_long_names_and_the_values_of_large_entries_are_not_kept(backend: Embedded, desk: Desk) -> None:
    backend.execute([b"XADD", b"k" * 600, b"1-1", b"f", b"v"])
    backend.execute([b"XGROUP", b"CREATE", b"a", b"g" * 600, b"0"])
    backend.execute([b"XADD", b"a", b"9-1", b"big", b"x" * 200_000, b"n" * 600, b"v"])
    desk.until(desk.keys, [b"a", b"b"])
    desk.until(lambda: desk.names.groups(b"a"), (b"g1", b"g2"))
    desk.until(lambda: desk.names.fields(b"a"), (b"big",))
    assert not any(line.endswith(b"COUNT 20") for line in desk.asked)


def test_names_are_bounded_in_number(backend: Embedded, desk: Desk) -> None:
    for n in range(1100):
        backend.execute([b"XGROUP", b"CREATE", b"b", b"g%d" % n, b"0"])
    backend.execute([b"XADD", b"b", b"9-1", *[b"f%d" % (n // 2) for n in range(600)]])
    desk.until(lambda: len(desk.names.groups(b"b")), 1000)
    desk.until(lambda: len(desk.names.fields(b"b")), 100)


# -- a backend that fails -------------------------------------------------------------------------


def test_a_browse_that_raises_is_left_alone_for_a_while_and_works_again_when_it_does(backend: Embedded) -> None:
    broken = True

    def browse(argv: Sequence[bytes]) -> Reply:
        if broken:
            raise ConnectionError("gone")
        return backend.browse(argv)

    desk = Desk(browse)
    for times in range(1, 4):
        assert desk.names.groups(b"k%d" % times) == ()
        desk.until_asked(times)
    broken = False
    desk.until(lambda: desk.names._quiet_until, 2.0)
    for n in range(100):
        assert desk.names.groups(b"k%d" % n) == ()
    desk.until(lambda: desk.names._wanted, {})  # all dropped
    assert len(desk.asked) == 3
    desk.now = 2.1
    desk.until(lambda: desk.names.groups(b"a"), (b"g1", b"g2"))
    assert desk.names._failures == 0
    desk.names.stop()


@pytest.mark.parametrize(
    "reply",
    [
        None, 5, b"x", [], [1], [[]], [b"0"], [b"0", b"x"], [None, None], [b"0", [None, 5, []]], [b"0", [[b"x"]]],
        Map([]), Map([(b"a", [b"b"])]), Error("ERR unknown"), Error("NOPERM no"), Error("LOADING wait"), Error(""),
        Simple("OK"), NIL_ARRAY, [b"name"], [[b"name", 5]], [[b"name"]], [b"last-entry", []], [b"last-entry", [5]],
    ],
)  # fmt: skip
def test_a_browse_that_talks_nonsense_names_nothing(reply: Reply) -> None:
    desk = Desk(lambda argv: reply)
    desk.names.keys(b"x")
    desk.names.groups(b"a")
    desk.names.consumers(b"a", b"g")
    desk.names.ids(b"a")
    desk.names.fields(b"a")
    desk.until_asked(1)
    desk.names.groups(None)
    assert desk.keys() == []
    assert desk.names.groups(b"a") == ()
    assert desk.names.ids(b"a") == ((), None, None, None)
    assert desk.names.fields(b"a") == ()
    desk.names.stop()


def test_a_scan_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_module, "_PAGES_MAX", 20)
    desk = Desk(lambda argv: [b"7", [b"same"]])
    desk.keys()
    desk.until_asked(20)
    desk.until(desk.keys, [b"same"])
    assert not desk.names.keys().whole
    desk.names.stop()


def test_an_old_server_that_cannot_scan_by_type_has_no_keys_and_all_else(backend: Embedded) -> None:
    def browse(argv: Sequence[bytes]) -> Reply:
        return Error("ERR syntax error") if argv[0] == b"SCAN" else backend.browse(argv)

    desk = Desk(browse)
    for _ in range(5):
        assert desk.keys() == []
        desk.now += 3
    desk.until(lambda: desk.names.groups(b"a"), (b"g1", b"g2"))
    assert desk.keys() == []
    desk.names.stop()


def test_a_browse_that_hangs_keeps_nobody_waiting(backend: Embedded) -> None:
    free, hangs = threading.Event(), threading.Event()

    def browse(argv: Sequence[bytes]) -> Reply:
        hangs.set()
        assert free.wait(PATIENCE_S)
        return backend.browse(argv)

    desk = Desk(browse)
    assert desk.names.groups(b"a") == ()
    assert hangs.wait(PATIENCE_S)
    for n in range(1000):
        assert desk.names.groups(b"k%d" % n) == ()
    assert len(desk.names._wanted) <= 32
    free.set()
    desk.until(lambda: desk.names.groups(b"a"), (b"g1", b"g2"))
    desk.names.stop()


def test_another_backend_is_asked_even_while_the_old_one_hangs_and_nothing_of_the_old_is_shown(
    backend: Embedded,
) -> None:
    free, hangs, over = threading.Event(), threading.Event(), threading.Event()

    def old(argv: Sequence[bytes]) -> Reply:
        hangs.set()
        free.wait(PATIENCE_S)
        over.set()
        return [b"0", [b"old"]]

    desk = Desk(old)
    desk.names.noticed(call("XADD older * f v"), b"1-1")
    assert desk.keys() == [b"older"]
    assert hangs.wait(PATIENCE_S)
    desk.names.reset(backend.browse)
    assert desk.keys() == []
    desk.until(desk.keys, [b"a", b"b"])
    free.set()
    assert over.wait(PATIENCE_S)
    assert desk.keys() == [b"a", b"b"]
    desk.names.stop()


def test_nothing_is_asked_after_stop(desk: Desk) -> None:
    desk.until(desk.keys, [b"a", b"b"])
    thread = desk.names._thread
    desk.names.stop()
    assert thread is not None
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    desk.now += 100
    assert desk.keys() == [b"a", b"b"]
    assert desk.names.groups(b"a") == ()


def test_names_survive_a_backend_that_is_closed(backend: Embedded, desk: Desk) -> None:
    desk.until(desk.keys, [b"a", b"b"])
    backend.close()
    desk.now += 100
    assert desk.keys() == [b"a", b"b"]
    asked = len(desk.asked)
    desk.names.groups(b"a")
    desk.until_asked(asked + 1)
    assert desk.keys() == [b"a", b"b"]


def test_an_on_change_that_raises_does_not_end_the_thread(backend: Embedded) -> None:
    told = threading.Semaphore(0)

    def on_change() -> None:
        told.release()
        raise RuntimeError("the screen is gone")

    names = Names(backend.browse, on_change)
    names.groups(b"a")
    assert told.acquire(timeout=PATIENCE_S)
    names.groups(b"b")
    assert told.acquire(timeout=PATIENCE_S)
    assert (names.groups(b"a"), names.groups(b"b")) == ((b"g1", b"g2"), (b"g3",))
    names.stop()
