"""An entry's fields as one blob, and the sizes that Redis's listpacks would have, worked out by hand."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.ids import StreamID
from streamcli.storage.encoding import (
    counts_size,
    entry_size,
    header_size,
    integer_size,
    pack_words,
    string_size,
    unpack_words,
)
from streamcli.storage.store import Store
from streamcli.storage.streams import NodeLimits


def packed(ms: int, seq: int) -> bytes:
    return StreamID(ms, seq).packed


# -- blobs ------------------------------------------------------------------------------------


def test_words_without_a_nul_are_joined_by_nuls() -> None:
    assert pack_words([b"city", b"New York"]) == b"\0city\0New York"


def test_words_with_a_nul_are_counted() -> None:
    assert pack_words([b"f", b"a\0b"]) == b"\1" + pack("<III", 2, 1, 3) + b"fa\0b"


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.lists(st.binary(max_size=5) | st.sampled_from([b"", b"\0", b"\1", b"\0\0"]), min_size=1, max_size=8))
def test_any_words_come_back_as_they_were(words: list[bytes]) -> None:
    assert unpack_words(pack_words(words)) == words


@pytest.mark.parametrize("words", [[b"", b""], [b""], [b"\0", b""], [b"", b"\0"], [b"f", bytes(100_000)]])
def test_empty_words_and_nuls_are_kept_apart(words: list[bytes]) -> None:
    assert unpack_words(pack_words(words)) == words


# -- sizes of one element -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (0, 2), (127, 2), (128, 3), (-1, 3), (-4096, 3), (4095, 3), (4096, 4), (-4097, 4), (32767, 4), (-32768, 4),
        (32768, 5), (-32769, 5), (2**23 - 1, 5), (-(2**23), 5), (2**23, 6), (2**31 - 1, 6), (-(2**31), 6),
        (2**31, 10), (-(2**31) - 1, 10), (2**63 - 1, 10), (-(2**63), 10),
    ],
)  # fmt: skip
def test_the_size_of_an_integer(value: int, size: int) -> None:
    assert integer_size(value) == size


@pytest.mark.parametrize(
    ("word", "size"),
    [
        (b"", 2),  # a head of 1, a trailer of 1
        (b"a", 3),
        (b"a" * 63, 65),
        (b"a" * 64, 67),  # a head of 2
        (b"a" * 125, 128),  # 127 and a trailer of 1
        (b"a" * 126, 130),  # 128 and a trailer of 2
        (b"a" * 4095, 4099),
        (b"a" * 4096, 4103),  # a head of 5
        (b"a" * 16377, 16384),  # 16382 and 2
        (b"a" * 16378, 16386),  # 16383 and 3
        (b"a" * 2097145, 2097153),  # 2097150 and 3
        (b"a" * 2097146, 2097155),  # 2097151 and 4
        (b"7", 2),  # the text of a number is kept as the number
        (b"127", 2),
        (b"128", 3),
        (b"-1", 3),
        (b"4096", 4),
        (b"9223372036854775807", 10),
        (b"-9223372036854775808", 10),
        (b"9223372036854775808", 21),  # too great to be one
        (b"0", 2),
        (b"-0", 4),
        (b"00", 4),
        (b"007", 5),
        (b"-", 3),
        (b"+1", 4),
        (b" 1", 4),
        (b"1.5", 5),
        ("\u0661".encode(), 4),  # a digit, but not one of ours
    ],
)
def test_the_size_of_a_string(word: bytes, size: int) -> None:
    assert string_size(word) == size


# -- sizes of a node's parts -----------------------------------------------------------------------


def test_the_size_of_a_header() -> None:
    # 7 of the listpack's own; the number of fields, "f", the closing 0.
    assert header_size([b"f"]) == 7 + 2 + 3 + 2
    assert header_size([b"f", b"12", b"a" * 64]) == 7 + 2 + (3 + 2 + 67) + 2


def test_the_size_of_a_nodes_counts() -> None:
    assert counts_size(1, 0) == 4
    assert counts_size(128, 127) == 5


def test_an_entry_with_the_names_of_the_first_leaves_them_out() -> None:
    # flags 2, ms 2, seq 2, the value "v" 3, and how many elements to go back 2.
    assert entry_size(packed(5, 1), packed(5, 1), [b"f", b"v"], same_names=True) == 2 + 2 + 2 + 3 + 2
    # a later one: 200 ms take 3, seq 5 takes 2; the value is a number
    assert entry_size(packed(205, 5), packed(5, 0), [b"f", b"100"], same_names=True) == 2 + 3 + 2 + 2 + 2


def test_an_entry_with_other_names_counts_and_keeps_them() -> None:
    # flags, ms and seq; the number of pairs; names and values; how many elements to go back.
    assert entry_size(packed(5, 1), packed(5, 0), [b"g", b"v", b"h", b"w"], same_names=False) == 6 + 2 + 4 * 3 + 2


def test_how_far_to_go_back_is_an_integer_too() -> None:
    words = [b"", b""] * 125  # 125 + 3 is more than 127
    assert entry_size(packed(1, 0), packed(1, 0), words, same_names=True) == 6 + 125 * 2 + 3
    assert entry_size(packed(1, 0), packed(1, 0), words[:248], same_names=True) == 6 + 124 * 2 + 2
    # 2 * 62 + 4 is more than 127
    assert entry_size(packed(1, 0), packed(1, 0), words[:124], same_names=False) == 6 + 2 + 124 * 2 + 3
    assert entry_size(packed(1, 0), packed(1, 0), words[:122], same_names=False) == 6 + 2 + 122 * 2 + 2


def test_a_sequence_number_below_the_first_ones_is_a_negative_difference() -> None:
    assert entry_size(packed(6, 0), packed(5, 1), [b"f", b"v"], same_names=True) == 2 + 2 + 3 + 3 + 2
    assert entry_size(packed(6, 0), packed(5, 2**31), [b"f", b"v"], same_names=True) == 2 + 2 + 6 + 3 + 2
    # Unsigned 64-bit numbers are subtracted as C does it, and wrap round: 0 - (2^64 - 1) is 1.
    assert entry_size(packed(6, 0), packed(5, 2**64 - 1), [b"f", b"v"], same_names=True) == 2 + 2 + 2 + 3 + 2
    assert entry_size(packed(2**64 - 1, 0), packed(0, 1), [b"f", b"v"], same_names=True) == 2 + 3 + 3 + 3 + 2


@pytest.mark.parametrize(
    ("name", "length", "entries"),
    [
        (b"f", 1, 100),
        (b"f", 50, 68),
        (b"field", 50, 67),
        (b"f", 500, 7),
        (b"f", 1000, 4),
        (b"f", 2000, 2),
        (b"f", 5000, 1),
    ],
)
def test_so_many_entries_fill_a_node(name: bytes, length: int, entries: int) -> None:
    """As counted on a Redis 8.0 with default settings, with the IDs 1-1, 1-2, 1-3 ..."""
    store = Store()
    with store.transaction(write=True, now_ms=0):
        stream = store.make_stream(0, b"s")
        while stream.node_count() < 2:
            stream.append(packed(1, stream.length + 1), [name, b"v" * length], NodeLimits())
    assert stream.length - 1 == entries
    store.close()
