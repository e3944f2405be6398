"""A server's own account becomes commands: in both protocols, to any depth, and whatever it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.grammar.commands import BY_WORD
from streamcli.grammar.foreign import Foreign, commands, facts, tokens, version, vocabulary
from streamcli.grammar.parse import Call, parse
from streamcli.grammar.spec import Arg, Keys, Option
from streamcli.reply import Error, Map, Reply, Set, Simple, Verbatim
from tests.unit.told import DOCS, flat, maps, row, rows, told, word

EVERY = vocabulary(commands(told()))


def read(line: str, *, draft: bool = False) -> Call:
    return parse(line.encode().split(), draft=draft, commands=EVERY)


def roles(line: str, *, draft: bool = False) -> list[str]:
    """What each word behind the command is: tokens in capitals, the others by their kind and name."""
    call = read(line, draft=draft)
    assert not call.problems
    assert call.command is not None
    return [
        "?" if role is None else role.name if role.kind == "token" else f"{role.kind}:{role.name}"
        for role in call.roles[call.command.words :]
    ]


def expected(line: str) -> list[str]:
    """What may come next."""
    return [
        one.token if isinstance(one, Option) else one.name
        for one in read(line, draft=True).expected
        if isinstance(one, Option | Arg)
    ]


def usage(name: str) -> str:
    command = read(name, draft=True).command
    assert isinstance(command, Foreign)
    return command.usage()


# -- what is read of the replies ------------------------------------------------------------


def test_flat_arrays_and_maps_say_the_same() -> None:
    assert facts(maps(DOCS), rows(maps)) == facts(flat(DOCS), rows(flat))


def test_facts_are_what_json_can_hold() -> None:
    assert json.loads(json.dumps(told())) == told()


def test_a_command_has_what_both_replies_say_of_it() -> None:
    zadd = EVERY[b"ZADD"]
    assert isinstance(zadd, Foreign)
    assert (zadd.name, zadd.arity, zadd.since, zadd.group) == ("ZADD", -4, "1.2.0", "sorted-set")
    assert (zadd.summary, zadd.complexity) == ("Adds members to a sorted set", "O(1)")
    assert (sorted(zadd.flags), zadd.acl, zadd.keys) == (
        ["denyoom", "fast", "write"],
        "fast sortedset write",
        Keys(1, 1, 1),
    )
    assert zadd.writes


def test_the_table_wins_over_what_a_server_says() -> None:
    assert EVERY[b"XADD"] is BY_WORD[b"XADD"]
    assert EVERY[b"SET"] is BY_WORD[b"SET"]


def test_a_container_of_the_table_gets_the_subcommands_that_only_the_server_has() -> None:
    client = EVERY[b"CLIENT"]
    assert client is not BY_WORD[b"CLIENT"]
    assert client.subcommands[b"ID"] is BY_WORD[b"CLIENT"].subcommands[b"ID"]
    assert isinstance(client.subcommands[b"PAUSE"], Foreign)
    assert client.subcommands.keys() == {*BY_WORD[b"CLIENT"].subcommands, b"PAUSE"}
    assert b"PAUSE" not in BY_WORD[b"CLIENT"].subcommands
    assert client.role.part is client


def test_a_container_that_does_not_list_its_subcommands_may_have_any() -> None:
    call = read("DEBUG OBJECT a")
    assert (call.command, call.problems) == (EVERY[b"DEBUG"], [])
    assert [role and role.kind for role in call.roles] == ["command", None, None]
    assert read("DEBUG SLEEP 1").command is BY_WORD[b"DEBUG"].subcommands[b"SLEEP"]


def test_the_engine_goes_on_knowing_the_table_alone() -> None:
    assert parse([b"ZADD", b"a", b"1", b"b"]).command is None
    assert not BY_WORD[b"DEBUG"].open


def test_scripts_may_write_even_if_no_flag_says_so() -> None:
    assert EVERY[b"EVAL"].writes
    assert not EVERY[b"ZUNION"].writes


# -- syntax lines ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("ZADD", "ZADD key [NX | XX] [CH] score member [score member ...]"),
        ("SORT", "SORT key [BY by-pattern] [LIMIT offset count] [GET get-pattern [GET get-pattern ...]] [ASC | DESC]"),
        ("EVAL", "EVAL script numkeys [key [key ...]] [arg [arg ...]]"),
        ("BLPOP", "BLPOP key [key ...] timeout"),
        ("LMOVE", "LMOVE source destination <LEFT | RIGHT> <LEFT | RIGHT>"),
        ("LPOP", "LPOP key [count]"),
        ("ZUNION", "ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN>] [WITHSCORES]"),
        ("GETEX", "GETEX key [EX seconds | PXAT unix-time-milliseconds | PERSIST]"),
        ("JSON.GET", "JSON.GET key [path [path ...]]"),
        ("CLUSTER RESET", "CLUSTER RESET [HARD | SOFT]"),
        ("CLUSTER SLOTS", "CLUSTER SLOTS"),
        ("VADD", "VADD key [arg [arg ...]]"),
        ("MSETX", "MSETX key arg [key arg ...]"),
    ],
)
def test_the_syntax_line_is_written_as_redis_writes_it(name: str, line: str) -> None:
    assert usage(name) == line


def test_a_long_list_is_not_written_twice() -> None:
    inner = [word(f"a-rather-long-name-{index}", token=f"T{index}") for index in range(4)]
    docs = {"x": {"arguments": [word("many", "oneof", "multiple", arguments=inner)]}}
    line = commands(facts(flat(docs), None))[b"X"].usage()
    assert line.count("T0") == 1
    assert line.endswith(" ...>")


# -- roles of words --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("ZADD k CH NX 1 a 2 b", "key:key CH NX integer:score string:member integer:score string:member"),
        ("zadd k ch 1 a", "key:key CH integer:score string:member"),
        ("SORT k GET a GET b DESC LIMIT 0 5", "key:key GET pattern:get-pattern GET pattern:get-pattern DESC LIMIT"
         " integer:offset count:count"),
        ("EVAL s 2 a b c", "string:script integer:numkeys key:key key:key string:arg"),
        ("EVAL s 0 a b", "string:script integer:numkeys string:arg string:arg"),
        ("EVAL s x a b", "string:script integer:numkeys key:key key:key"),
        ("BLPOP a b c 0", "key:key key:key key:key integer:timeout"),
        ("LMOVE a b LEFT LEFT", "key:source key:destination LEFT LEFT"),
        ("LMOVE a b up LEFT", "key:source key:destination ? ?"),
        ("ZUNION 2 a weights WEIGHTS 1 2 AGGREGATE min", "integer:numkeys key:key key:key WEIGHTS integer:weight"
         " integer:weight AGGREGATE MIN"),
        ("GETEX k PXAT 5", "key:key PXAT unix-time-ms:unix-time-milliseconds"),
        ("GETEX k EX 5", "key:key EX seconds:seconds"),
        ("JSON.GET k $.a $.b", "key:key string:path string:path"),
        ("CLUSTER RESET soft", "SOFT"),
        ("MSETX a b c d", "key:key string:arg key:key string:arg"),
        ("FAILOVER whatever", "?"),
        ("MIGRATE h AUTH s a b", "string:host AUTH secret:password ? ?"),
    ],
)  # fmt: skip
def test_every_word_has_the_role_that_the_documentation_gives_it(line: str, named: str) -> None:
    assert roles(line) == named.split()


@pytest.mark.parametrize(
    ("line", "next"),
    [
        ("ZADD", "key"),
        ("ZADD k", "NX XX CH score"),
        ("ZADD k NX", "CH score"),
        ("ZADD k 1", "member"),
        ("ZADD k 1 a", "score"),
        ("EVAL s 2 a", "key"),
        ("EVAL s 1 a", "arg"),
        ("SORT k", "BY LIMIT GET ASC DESC"),
        ("SORT k LIMIT", "offset"),
        ("SORT k LIMIT 0", "count"),
        ("SORT k GET a ASC", "BY LIMIT GET"),
        ("LMOVE a b", "LEFT RIGHT LEFT RIGHT"),
        ("LMOVE a b LEFT RIGHT", ""),
        ("LMOVE a b up", ""),
        ("LPOP k 5", ""),
        ("ZUNION 2 a b", "WEIGHTS AGGREGATE WITHSCORES"),
        ("ZUNION 2 a b AGGREGATE", "SUM MIN"),
    ],
)
def test_what_may_come_next_is_known(line: str, next: str) -> None:
    assert expected(line) == next.split()


def test_subcommands_are_expected_in_the_order_of_the_alphabet() -> None:
    assert [one.name for one in read("CLUSTER", draft=True).expected if isinstance(one, Foreign)] == [
        "CLUSTER RESET",
        "CLUSTER SLOTS",
    ]


def test_only_an_impossible_number_of_words_is_wrong() -> None:
    assert [(one.at, one.error.text) for one in read("LMOVE a b LEFT RIGHT more", draft=True).problems] == [
        (5, "ERR wrong number of arguments for 'lmove' command")
    ]
    assert read("LMOVE a b").rejected == Error("ERR wrong number of arguments for 'lmove' command")
    assert read("LMOVE a b", draft=True).problems == []


def test_a_subcommand_that_the_server_does_not_have_is_wrong() -> None:
    assert [one.at for one in read("CLUSTER SLOST", draft=True).problems] == [1]


# -- servers before Redis 7, and servers that are not what they say ----------------------------


def test_without_documentation_there_are_names_numbers_of_words_and_keys() -> None:
    old = commands(facts(Error("ERR unknown subcommand"), [row(name)[:7] for name in ("zadd", "lmove", "blpop")]))
    assert [command.usage() for command in old.values()] == [
        "ZADD key arg arg [arg ...]",
        "LMOVE key key arg arg",
        "BLPOP key [key ...] arg",
    ]


def test_a_containers_subcommands_may_be_named_alone() -> None:
    docs = {"ft.config": {"subcommands": {"get": {"summary": "Reads"}}}}
    assert commands(facts(flat(docs), None))[b"FT.CONFIG"].subcommands.keys() == {b"GET"}


def test_what_is_hostile_is_left_out_or_made_safe_to_look_at() -> None:
    docs: Reply = [
        b"evil\x1b[2J", [b"summary", b"x"],
        b"two words", [b"summary", b"x"],
        b"good", [
            b"summary", b"red \x1b[31m\nline" + b"!" * 1000, b"since", b"now", b"group", Error("ERR"),
            b"arguments", [
                [b"name", b"\x1b]0;x\x07", b"type", b"string", b"token", b"A\x1b"],
                [b"type", b"pure-token", b"name", b"x"], 5, None, [b"name"],
            ],
        ],
    ]  # fmt: skip
    good = commands(facts(docs, [[b"good", 10**30, None, b"x", 2, 3]]))
    assert list(good) == [b"GOOD"]
    command = good[b"GOOD"]
    assert command.summary.startswith("red \\x1b[31m line!!!")
    assert len(command.summary) <= 200
    assert (command.since, command.arity, command.keys) == ("0", 0, Keys(0, 2, 3))
    assert command.usage().isprintable()


def test_arguments_nested_without_end_are_cut() -> None:
    inner: dict[str, Any] = word("deep", token="DEEP")
    for _ in range(60):
        inner = word("block", "block", arguments=[inner])
    assert commands(facts(flat({"x": {"arguments": [inner]}}), None))[b"X"].usage() == "X"
    assert tokens(json.loads(json.dumps({"arguments": [inner]}, default=list))) == frozenset()


_LEAVES = st.none() | st.integers() | st.binary(max_size=12) | st.text(max_size=8).map(Simple) | st.booleans()
_WORDS = st.sampled_from(
    [b"name", b"type", b"token", b"flags", b"arguments", b"subcommands", b"key", b"block", b"oneof", b"pure-token"]
)
_REPLIES = st.recursive(
    _LEAVES | _WORDS | st.floats() | st.binary(max_size=6).map(lambda data: Verbatim("txt", data)),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.lists(inner, max_size=4).map(Set)
        | st.lists(st.tuples(inner, inner), max_size=5).map(Map)
    ),
    max_leaves=40,
)


@given(_REPLIES, _REPLIES)
def test_nothing_that_a_server_says_raises(docs: Reply, info: Reply) -> None:
    known = facts([b"one", docs, b"two|sub", info], [[b"one", docs, info, 1, 1, 1, docs, info, docs, info], info])
    every = vocabulary(commands(json.loads(json.dumps(known))))
    for name, command in every.items():
        assert command.usage().isprintable()
        for draft in (False, True):
            call = parse([name, b"a", b"b", b"NAME"], draft=draft, commands=every)
            assert len(call.roles) <= 4


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=6), inner, max_size=5),
    max_leaves=30,
)
_NAMES = ["summary", "since", "group", "arity", "flags", "keys", "acl", "arguments", "subcommands", "documented"]
_FACTS = st.fixed_dictionaries({}, optional=dict.fromkeys(_NAMES, _JSON))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["A", "CLIENT", "X.Y", "b c", ""]), _FACTS | _JSON) | _JSON)
def test_nothing_that_a_cache_may_hold_raises(known: object) -> None:
    for command in vocabulary(commands(known)).values():
        assert command.usage().isprintable()
        assert version(command.since) is not None


@given(
    st.sampled_from(sorted(commands(told()))),
    st.lists(st.sampled_from(b"a 1 NX CH GET BY LIMIT LEFT 2 numkeys AGGREGATE SUM x ABORT".split()), max_size=9),
    st.booleans(),
)
def test_every_word_gets_one_role_and_no_line_is_wrong_but_for_its_number_of_words(
    name: bytes, more: list[bytes], draft: bool
) -> None:
    call = parse([name, *more], draft=draft, commands=commands(told()))
    if call.command is not None and not call.command.subcommands:
        assert len(call.roles) == len(call.argv)
        arity = call.command.arity
        assert not call.problems or not call.command.arity_ok(len(call.argv)) or 0 < arity < len(call.argv)
