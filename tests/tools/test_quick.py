"""Lines taken apart without a JSON parser are what the parser makes of them, or are left to it."""

from __future__ import annotations

import json
import random
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.resp import encode, encode_command
from streamcli.tools import quick
from streamcli.tools.readers import jsonl
from streamcli.tools.rows import Rows

_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=5)


def _entries(lines: list[bytes]) -> tuple[list[bytes], list[list[bytes]]] | None:
    found = quick.entries(b"\n".join(lines))
    return None if found is None else (found.ids, list(found))


@given(st.lists(st.lists(st.tuples(_TEXT, _TEXT), min_size=2, max_size=2), min_size=1, max_size=5))
def test_it_gives_what_the_parser_gives(entries: list[list[tuple[str, str]]]) -> None:
    lines = [
        json.dumps({"id": f"{at}-0", "fields": fields}, ensure_ascii=False, separators=(",", ":")).encode()
        for at, fields in enumerate(entries)
    ]
    found = _entries(lines)
    plain = all(
        word.isprintable() and not set('"\\') & set(word) for entry in entries for pair in entry for word in pair
    )
    assert (found is not None) or not plain
    if found is not None:
        words = [[word.encode() for pair in entry for word in pair] for entry in entries]
        assert found == ([b"%d-0" % at for at in range(len(entries))], words)


@pytest.mark.parametrize(
    "line",
    [
        b'{"id":"1-0","fields":[["a","b"]]}x',
        b'{"id":"1-0","fields":[["a","b"]],"more":"","fields":[["a","b"]]}',
        b'{"id":"1-0","fields":[["a","b"],["c","d"]]}',
        b'{"id":"1-0","fields":[["a","\\n"]]}',
        b'{"id":"1-0","fields":[["a","\x01"]]}',
        b'{"id":"1-0","fields":[["a","\xff"]]}',
        b'{"id":"1-0","fields":[["a",{"base64":"/w=="}]]}',
        b'{"di":"1-0","fields":[["a","b"]]}',
        b'{"id":"1-0","field":[["a","b"]]}',
        b'{"id":"1-0","fields":null}',
        b'{"id":"1-0", "fields":[["a","b"]]}',
        b'{"end":{"entries":1,"groups":0,"pending":0}}',
        b"",
    ],
)
def test_what_looks_different_is_left_to_the_parser(line: bytes) -> None:
    good = b'{"id":"1-0","fields":[["a","b"]]}'
    assert _entries([good, good]) == ([b"1-0", b"1-0"], [[b"a", b"b"], [b"a", b"b"]])
    for lines in ([line], [good, line], [line, good], [good, line, good]):
        found = _entries(lines)
        assert found is None or lines == [line]  # alike, if all are
    assert _entries([line]) is None or line.count(b'"') == 14


def test_broken_lines_never_pass_for_whole_ones() -> None:
    dice = random.Random(1)
    good = [b'{"id":"%d-0","fields":[["a","b"],["c","d"]]}' % at for at in range(1, 6)]
    for _ in range(3000):
        lines = list(good)
        at = dice.randrange(5)
        cut, more = dice.randrange(len(lines[at])), dice.choice([b"", b'"', b",", b"x", b"]", b"{"])
        lines[at] = lines[at][:cut] + more + lines[at][cut + 1 :]
        try:
            parsed = [json.loads(line) for line in lines]
            wanted = [[word.encode() for pair in one["fields"] for word in pair] for one in parsed]
            ids = [one["id"].encode() for one in parsed]
        except (ValueError, KeyError):
            assert _entries(lines) is None, lines
        else:
            assert _entries(lines) in (None, (ids, wanted))


def test_a_file_of_such_lines_has_the_number_of_each() -> None:
    data = b"".join(b'{"id":"%d-0","fields":[["n","%d"]]}\n' % (at, at) for at in range(1, 20_001))
    lines = [line for batch in jsonl(BytesIO(data), Rows(0)) for line in batch.lines]  # type: ignore[union-attr]
    assert lines == list(range(1, 20_001))


_WORD = st.text(alphabet="ab1é\u20ac ,:[]{}-", max_size=12)


@given(st.data(), st.integers(1, 3), st.sampled_from([b"a", b"", b"key of eleven", "\u20ac".encode()]))
def test_its_commands_are_the_xadds_of_its_entries(data: st.DataObject, pairs: int, key: bytes) -> None:
    entry = st.lists(st.tuples(_WORD, _WORD), min_size=pairs, max_size=pairs)
    entries = data.draw(st.lists(entry, min_size=1, max_size=5))
    ids = [b"%d-%d" % (10 ** data.draw(st.integers(0, 18)), at) for at in range(len(entries))]
    lines = [
        json.dumps({"id": id.decode(), "fields": fields}, ensure_ascii=False, separators=(",", ":")).encode()
        for id, fields in zip(ids, entries, strict=True)
    ]
    found = quick.entries(b"\n".join(lines))
    assert found is not None
    words = [[word.encode() for pair in entry for word in pair] for entry in entries]
    start, stop = sorted([data.draw(st.integers(0, len(words))), data.draw(st.integers(0, len(words)))])
    for part, low, high in ((found, 0, len(words)), (found[start:stop], start, stop)):
        assert (list(part), part.ids, len(part)) == (words[low:high], ids[low:high], high - low)
        assert [part[at] for at in range(len(part))] == words[low:high]
        argvs = [[b"XADD", key, id, *some] for id, some in zip(ids[low:high], words[low:high], strict=True)]
        if argvs:
            assert part.commands(key) == b"".join(map(encode_command, argvs))
            assert part.replies() == b"".join(map(encode, ids[low:high]))
    assert (None in found, found.count(None)) == (False, 0)


def test_words_of_any_length_have_their_head() -> None:
    long = b"x" * 5000
    found = quick.entries(b'{"id":"1-1","fields":[["a","%b"]]}\n{"id":"1-2","fields":[["a","b"]]}' % long)
    assert found is not None
    argvs = [[b"XADD", b"s", b"1-1", b"a", long], [b"XADD", b"s", b"1-2", b"a", b"b"]]
    assert found.commands(b"s") == b"".join(map(encode_command, argvs))
