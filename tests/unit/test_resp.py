"""RESP without I/O: what a reply looks like on the wire, and what the reader makes of bytes, broken ones too."""

from __future__ import annotations

import math
import tracemalloc

import pytest

from streamcli.reply import NIL_ARRAY, Arriving, Error, Map, Nil, Push, Reply, Set, Simple, Verbatim
from streamcli.resp import ProtocolError, Reader, encode, encode_command


def read(data: bytes) -> list[Reply]:
    reader = Reader()
    reader.feed(data)
    return list(reader)


# -- encoding -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "two", "three"),
    [
        (Simple("OK"), b"+OK\r\n", b"+OK\r\n"),
        (Error("ERR syntax error"), b"-ERR syntax error\r\n", b"-ERR syntax error\r\n"),
        (Error("ERR \udcff\r\nb"), b"-ERR \xff  b\r\n", b"-ERR \xff  b\r\n"),  # Redis: an error is one line
        (0, b":0\r\n", b":0\r\n"),
        (-(2**63), b":-9223372036854775808\r\n", b":-9223372036854775808\r\n"),
        (b"", b"$0\r\n\r\n", b"$0\r\n\r\n"),
        (b"a\r\nb", b"$4\r\na\r\nb\r\n", b"$4\r\na\r\nb\r\n"),
        (None, b"$-1\r\n", b"_\r\n"),
        (NIL_ARRAY, b"*-1\r\n", b"_\r\n"),
        (Nil(), b"*-1\r\n", b"_\r\n"),
        ([], b"*0\r\n", b"*0\r\n"),
        ([1, [b"a", None]], b"*2\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n", b"*2\r\n:1\r\n*2\r\n$1\r\na\r\n_\r\n"),
        (Map([]), b"*0\r\n", b"%0\r\n"),
        (Map([(0, 1), (0, 2)]), b"*4\r\n:0\r\n:1\r\n:0\r\n:2\r\n", b"%2\r\n:0\r\n:1\r\n:0\r\n:2\r\n"),
        (Set([1]), b"*1\r\n:1\r\n", b"~1\r\n:1\r\n"),
        (Push([b"a"]), b"*1\r\n$1\r\na\r\n", b">1\r\n$1\r\na\r\n"),
        (True, b":1\r\n", b"#t\r\n"),
        (False, b":0\r\n", b"#f\r\n"),
        (1.5, b"$3\r\n1.5\r\n", b",1.5\r\n"),
        (3.0, b"$1\r\n3\r\n", b",3\r\n"),
        (math.inf, b"$3\r\ninf\r\n", b",inf\r\n"),
        (-math.inf, b"$4\r\n-inf\r\n", b",-inf\r\n"),
        (Verbatim("txt", b"a\r\n"), b"$3\r\na\r\n\r\n", b"=7\r\ntxt:a\r\n\r\n"),
    ],
)  # fmt: skip
def test_a_reply_on_the_wire_of_both_protocols(reply: Reply, two: bytes, three: bytes) -> None:
    assert encode(reply) == two
    assert encode(reply, 3) == three


def test_a_status_stays_one_line() -> None:
    assert encode(Simple("a\r\n+b")) == b"+a  +b\r\n"


def test_a_command_is_an_array_of_bulk_strings() -> None:
    assert encode_command([b"XADD", b"s", b""]) == b"*3\r\n$4\r\nXADD\r\n$1\r\ns\r\n$0\r\n\r\n"
    assert encode_command(iter([b"PING"])) == b"*1\r\n$4\r\nPING\r\n"


# -- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"+OK\r\n", Simple("OK")),
        (b"+\r\n", Simple("")),
        (b"-NOGROUP no\r\n", Error("NOGROUP no")),
        (b"-ERR \xff\r\n", Error("ERR \udcff")),
        (b":-5\r\n", -5),
        (b":+5\r\n", 5),
        (b"(123456789012345678901234567890\r\n", 123456789012345678901234567890),
        (b"$0\r\n\r\n", b""),
        (b"$3\r\n\r\na\r\n", b"\r\na"),
        (b"$-1\r\n", None),
        (b"_\r\n", None),
        (b"*0\r\n", []),
        (b"*2\r\n:1\r\n*1\r\n+a\r\n", [1, [Simple("a")]]),
        (b"%1\r\n+a\r\n:1\r\n", Map([(Simple("a"), 1)])),
        (b"%0\r\n", Map([])),
        (b"~1\r\n:1\r\n", Set([1])),
        (b"~0\r\n", Set([])),
        (b">1\r\n:1\r\n", Push([1])),
        (b">0\r\n", Push([])),
        (b"#t\r\n", True),
        (b"#f\r\n", False),
        (b",1.5\r\n", 1.5),
        (b",inf\r\n", math.inf),
        (b"=7\r\ntxt:abc\r\n", Verbatim("txt", b"abc")),
        (b"!8\r\nERR a\r\nb\r\n", Error("ERR a\r\nb")),
        (b"|1\r\n+ttl\r\n:5\r\n:7\r\n", 7),
        (b"|0\r\n:7\r\n", 7),
        (b"*2\r\n|1\r\n+a\r\n*1\r\n:1\r\n:2\r\n:3\r\n", [2, 3]),
        (b"*2\r\n*-1\r\n$-1\r\n", [NIL_ARRAY, None]),
        (b"%1\r\n*1\r\n:1\r\n%1\r\n:2\r\n:3\r\n", Map([([1], Map([(2, 3)]))])),
    ],
)
def test_what_the_reader_makes_of_a_reply(data: bytes, reply: Reply) -> None:
    assert [(type(one), one) for one in read(data)] == [(type(reply), reply)]


def test_the_null_array_is_told_from_the_null_string() -> None:
    assert read(b"*-1\r\n$-1\r\n") == [NIL_ARRAY, None]
    assert read(b"*-1\r\n")[0] is NIL_ARRAY


def test_not_a_number_is_read() -> None:
    (value,) = read(b",nan\r\n")
    assert isinstance(value, float)
    assert math.isnan(value)


ALL = b"*3\r\n+a\r\n$5\r\nb\r\nc\r\r\n%1\r\n$1\r\nk\r\n*-1\r\n-ERR x\r\n:12\r\n=6\r\ntxt:ab\r\n,2.5\r\n"
ALL_REPLIES: list[Reply] = [
    [Simple("a"), b"b\r\nc\r", Map([(b"k", NIL_ARRAY)])], Error("ERR x"), 12, Verbatim("txt", b"ab"), 2.5,
]  # fmt: skip


@pytest.mark.parametrize("size", range(1, len(ALL) + 1))
def test_replies_arrive_whole_whatever_the_pieces(size: int) -> None:
    reader, got = Reader(), []
    for at in range(0, len(ALL), size):
        reader.feed(ALL[at : at + size])
        got += list(reader)
    assert got == ALL_REPLIES


def test_a_reply_comes_out_as_soon_as_it_is_complete() -> None:
    reader = Reader()
    reader.feed(b"*2\r\n:1\r\n:")
    assert list(reader) == []
    reader.feed(b"2\r\n+next\r")
    assert list(reader) == [[1, 2]]
    reader.feed(b"\n")
    assert list(reader) == [Simple("next")]
    assert list(reader) == []


# -- a long reply, item by item -----------------------------------------------------------------


class Feed:
    """A reader, and what will be fed to it; what runs out raises BrokenPipeError."""

    def __init__(self, *pieces: bytes) -> None:
        self.reader = Reader()
        self.pieces = list(pieces)
        self.more()

    def more(self) -> None:
        if not self.pieces:
            raise BrokenPipeError
        self.reader.feed(self.pieces.pop(0))

    def arriving(self, least: int = 3) -> Arriving:
        found = self.reader.arriving(least, self.more)
        assert found is not None
        return found


def test_items_are_given_before_the_next_ones_are_there() -> None:
    feed = Feed(b"*4\r\n:1\r\n$2\r\na", b"b\r\n*1\r\n", b"+c\r\n:4\r\n:5\r\n")
    arriving = feed.arriving()
    assert isinstance(arriving, list)
    assert (len(arriving), bool(arriving), arriving.whole) == (4, True, False)
    items = iter(arriving)
    assert (next(items), len(feed.pieces)) == (1, 2)
    assert (next(items), len(feed.pieces)) == (b"ab", 1)
    assert (next(items), len(feed.pieces)) == ([Simple("c")], 0)
    assert arriving.whole
    assert list(items) == [4]
    assert list(feed.reader) == [5]


def test_the_first_item_can_be_looked_at() -> None:
    feed = Feed(b"*3\r\n", b":1\r\n", b":2\r\n:3\r\n")
    arriving = feed.arriving()
    assert (arriving[0], arriving[0], len(feed.pieces)) == (1, 1, 1)
    assert list(arriving) == [1, 2, 3]


def test_items_are_taken_once() -> None:
    arriving = Feed(b"*3\r\n:1\r\n:2\r\n:3\r\n").arriving()
    assert list(arriving) == [1, 2, 3]
    with pytest.raises(RuntimeError):
        iter(arriving)
    with pytest.raises(RuntimeError):
        arriving[0]


def test_only_the_first_can_be_asked_for() -> None:
    arriving = Feed(b"*3\r\n:1\r\n:2\r\n:3\r\n").arriving()
    for at in (1, -1, slice(None)):
        with pytest.raises(RuntimeError):
            arriving[at]
    assert list(reversed(arriving)) == [3, 2, 1]


def test_the_last_hundred_items_are_remembered() -> None:
    head, *items = [b"*1000\r\n", *(b":%d\r\n" % number for number in range(1000))]
    arriving = Feed(head, *(b"".join(items[at : at + 37]) for at in range(0, 1000, 37))).arriving()
    assert list(arriving) == list(range(1000))
    assert arriving.tail == list(range(900, 1000))


@pytest.mark.parametrize(
    "data", [b"*2\r\n:1\r\n:2\r\n", b"*0\r\n", b"*-1\r\n", b"*3", b"", b"~3\r\n", b">3\r\n", b":3\r\n"]
)
def test_what_is_no_long_array_does_not_arrive(data: bytes) -> None:
    reader, whole = Reader(), Reader()
    reader.feed(data)
    whole.feed(data)
    assert reader.arriving(3, pytest.fail) is None
    assert exactly(reader) == exactly(whole)


def exactly(reader: Reader) -> list[str]:
    return [repr(reply) for reply in reader]


def test_a_push_before_the_long_array_is_read_as_ever() -> None:
    feed = Feed(b">1\r\n+hi\r\n*3\r\n:1\r\n:2\r\n", b":3\r\n")
    assert feed.reader.arriving(3, feed.more) is None
    assert list(feed.reader) == [Push([Simple("hi")])]
    assert list(feed.arriving()) == [1, 2, 3]


def test_attributes_inside_the_long_array_are_none_of_its_items() -> None:
    feed = Feed(b"*3\r\n:1\r\n|1\r\n+ttl\r\n", b"*3\r\n:7\r\n:8\r\n:9\r\n:2\r\n*2\r\n", b":3\r\n:4\r\n")
    assert list(feed.arriving()) == [1, 2, [3, 4]]


def test_what_is_not_taken_is_thrown_away_by_the_next_reply() -> None:
    feed = Feed(b"*4\r\n:1\r\n:2\r\n", b":3\r\n*1", b"\r\n:4\r\n+next\r\n*3\r\n:7\r\n:8\r\n:9\r\n")
    arriving = feed.arriving()
    items = iter(arriving)
    assert next(items) == 1
    arriving.close()
    assert list(items) == [2]  # it had come
    assert list(feed.reader) == []
    feed.more()
    assert list(feed.reader) == []
    assert not arriving.whole
    feed.more()
    assert arriving.whole is False
    replies = iter(feed.reader)
    assert next(replies) == Simple("next")
    assert arriving.whole
    assert list(feed.arriving()) == [7, 8, 9]


def test_what_cannot_be_read_on_comes_out_of_the_iteration() -> None:
    arriving = Feed(b"*4\r\n:1\r\n:2\r\n").arriving()
    got: list[Reply] = []
    with pytest.raises(BrokenPipeError):
        got.extend(arriving)
    assert not arriving.whole


def test_what_is_no_reply_comes_out_of_the_iteration_and_stays() -> None:
    feed = Feed(b"*4\r\n:1\r\n:2\r\n", b"nonsense\r\n")
    with pytest.raises(ProtocolError):
        list(feed.arriving())
    with pytest.raises(ProtocolError):
        list(feed.reader)
    assert feed.reader.arriving(3, feed.more) is None


def test_what_is_no_reply_is_told_in_the_words_of_whoever_reads() -> None:
    feed = Feed(b"*4\r\n:1\r\n:2\r\nx")
    arriving = feed.reader.arriving(3, feed.more, lambda error: ConnectionError(f"no: {error}"))
    assert arriving is not None
    with pytest.raises(ConnectionError, match=r"^no: not a reply: b'x'$"):
        list(arriving)


def test_items_that_are_taken_take_no_memory() -> None:
    piece = b"*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1000\r\n" + b"v" * 1000 + b"\r\n"
    reader = Reader()
    reader.feed(b"*20000\r\n")
    arriving = reader.arriving(1, lambda: reader.feed(piece * 50))
    assert arriving is not None
    tracemalloc.start()
    assert sum(1 for _ in arriving) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


# -- what is not RESP ---------------------------------------------------------------------------

HUGE = b"9223372036854775808"


@pytest.mark.parametrize(
    "data",
    [
        *(mark + HUGE + b"\r\n" for mark in (b"$", b"*", b"%", b"~", b">", b"=", b"!", b"|")),
        *(mark + b"9" * 40 + b"\r\n" for mark in (b"$", b"*", b"%")),
        *(mark + b"-2\r\n" for mark in (b"$", b"*", b"%", b"~", b">", b"=", b"!", b"|")),
        *(mark + b"\r\n" for mark in (b"$", b"*", b"%", b":", b"(", b",", b"#")),
        b"$1x\r\n",
        b"$ 1\r\na\r\n",
        b"$1_0\r\n0123456789\r\n",
        b"*+1x\r\n",
        b":1.5\r\n",
        b":0x10\r\n",
        b":\xd9\xa1\r\n",
        b"#x\r\n",
        b"#true\r\n",
        b",abc\r\n",
        b"_x\r\n",
        b"\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"hello\r\n",
        b"\0\r\n",
        b"$3\r\nabcde\r\n",
        b"$3\r\nabcde",  # a string that does not end where it says
        b"=2\r\nab\r\n",  # too short for its kind
        b"=6\r\ntxtxab\r\n",  # no colon after it
        b"%-1\r\n",
        b"~-1\r\n",
        b"|-1\r\n",
        b">-1\r\n",
        b"=-1\r\n",
        b"!-1\r\n",
        b"*1\r\n" * 100_000,
        b"%1\r\n" * 100_000,
        b"$" + b"1" * 100,  # a number without an end
        b":" + b"1" * 5000 + b"\r\n",
        b"x" * 100,
        b"*1\r\n" * 3 + b"?\r\n",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_is_not_resp_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(data)


def test_the_shortest_garbage_is_refused_at_once_and_not_waited_for() -> None:
    for first in set(range(256)) - set(b"+-:$*_#,(!=%~>|"):
        with pytest.raises(ProtocolError):
            read(bytes([first]))


@pytest.mark.parametrize("deep", range(508, 514))
def test_how_deep_a_reply_may_be_does_not_hang_on_its_pieces(deep: int) -> None:
    data = b"*1\r\n" * deep + b"*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"

    def outcome(size: int) -> object:
        reader = Reader()
        try:
            for at in range(0, len(data), size):
                reader.feed(data[at : at + size])
                list(reader)
        except ProtocolError:
            return ProtocolError
        return None

    assert outcome(1) is outcome(len(data)) is (ProtocolError if deep > 510 else None)


def test_replies_before_a_broken_one_are_still_read() -> None:
    reader = Reader()
    reader.feed(b":1\r\n:2\r\nx\r\n")
    replies = iter(reader)
    assert [next(replies), next(replies)] == [1, 2]
    with pytest.raises(ProtocolError):
        next(replies)


def test_a_promise_of_much_takes_no_memory() -> None:
    tracemalloc.start()
    reader = Reader()
    reader.feed(b"*2147483647\r\n%1000000000\r\n$2000000000\r\nabc")
    assert list(reader) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_a_long_string_in_small_pieces_is_not_searched_again_and_again() -> None:
    """A reader that looks at everything at each piece would take minutes."""
    reader = Reader()
    reader.feed(b"$8000000\r\n")
    for _ in range(8000):
        reader.feed(b"a" * 1000)
        assert list(reader) == []
    reader.feed(b"\r\n")
    assert list(reader) == [b"a" * 8_000_000]


def test_a_long_array_in_small_pieces_is_not_split_again_and_again() -> None:
    data = encode([[b"%d-0" % number, [b"field", b"value\r\n"]] for number in range(20_000)])
    reader, got = Reader(), []
    for at in range(0, len(data), 7):
        reader.feed(data[at : at + 7])
        got += list(reader)
    assert encode(got[0]) == data


def test_what_was_fed_at_once_is_not_split_at_once() -> None:
    """Lines are objects: a string of nothing but line ends would take thirty times its size."""
    reader = Reader()
    data = b"$4000000\r\n" + b"\r\n" * 2_000_000 + b"\r\n"
    tracemalloc.start()
    reader.feed(data)
    assert list(reader) == [b"\r\n" * 2_000_000]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_long_status_without_an_end_is_refused() -> None:
    """What talks for a megabyte without ending a line is no Redis."""
    reader = Reader()
    reader.feed(b"+" + b"a" * 1_000_000)
    with pytest.raises(ProtocolError):
        list(reader)
