"""The parser is total: any words, whole or still being typed, have roles and problems in their places."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.engine import Engine, Wait
from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.parse import Call, parse
from streamcli.grammar.spec import Maybe, Option, Options, Part, Role
from streamcli.reply import Error

PROFILE = settings(derandomize=True, deadline=None, max_examples=800)


def tokens_of(parts: tuple[Part, ...]) -> set[str]:
    found: set[str] = set()
    for part in parts:
        if isinstance(part, Options):
            found |= {option.token for option in part.options}
            found |= {token for option in part.options if option.then for token in tokens_of((option.then,))}
        elif isinstance(part, Maybe):
            found |= tokens_of(part.parts)
    return found


NAMES = sorted(COMMANDS)
TOKENS = sorted({token for command in COMMANDS.values() for token in tokens_of(command.parts)} | {"STREAMS"})
VALUES = [
    b"s",
    b"g",
    b"0",
    b"1-1",
    b"5-*",
    b"*",
    b"$",
    b">",
    b"+",
    b"-",
    b"(1",
    b"~",
    b"=",
    b"-1",
    b"10",
    b"",
    b"\0",
    b"f",
]

names = st.sampled_from(NAMES).map(lambda name: name.encode().split())
words = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from(TOKENS).map(str.encode),
    st.sampled_from(TOKENS).map(lambda token: token.lower().encode() + b"\0x"),
    st.binary(max_size=4),
)
lines = st.builds(lambda name, rest: [*name, *rest], names, st.lists(words, max_size=10)) | st.lists(words, max_size=6)


def plain(call: Call) -> tuple[object, ...]:
    name = call.command.name if call.command else None
    return name, call.roles, call.args, call.problems, call.expected, call.rejected


@PROFILE
@given(lines, st.booleans())
def test_every_word_has_one_role_and_every_problem_a_place(argv: list[bytes], draft: bool) -> None:
    call = parse(argv, draft=draft)
    assert call.argv == tuple(argv)
    assert len(call.roles) == len(argv)
    assert all(role is None or isinstance(role, Role) for role in call.roles)
    for problem in call.problems:
        assert 0 <= problem.at <= len(argv)
        assert isinstance(problem.error, Error)


@PROFILE
@given(lines, st.booleans())
def test_the_same_words_are_read_in_the_same_way(argv: list[bytes], draft: bool) -> None:
    assert plain(parse(argv, draft=draft)) == plain(parse(argv, draft=draft))


@PROFILE
@given(lines, st.booleans())
def test_what_may_come_next_is_named_once(argv: list[bytes], draft: bool) -> None:
    expected = parse(argv, draft=draft).expected
    assert len({id(one) for one in expected}) == len(expected)
    if not draft and argv and parse(argv).command not in (None, *filter(lambda c: c.subcommands, COMMANDS.values())):
        assert expected == []


@PROFILE
@given(lines)
def test_an_option_that_may_come_next_is_known_when_it_comes(argv: list[bytes]) -> None:
    """What a draft promises is kept: the keyword gets its role, and nothing is wrong with it."""
    call = parse(argv, draft=True)
    for one in call.expected:
        if isinstance(one, Option):
            after = parse([*argv, one.token.encode()], draft=True)
            assert after.roles[-1] == one.role
            assert after.problems == call.problems


@PROFILE
@given(lines)
def test_a_whole_line_has_all_the_problems_of_the_draft_when_nothing_is_missing(argv: list[bytes]) -> None:
    if not parse(argv).problems:
        assert parse(argv, draft=True).problems == []


@settings(PROFILE, max_examples=400)
@given(lines)
def test_the_engine_answers_with_the_first_problem_that_is_not_late(argv: list[bytes]) -> None:
    call = parse(argv)
    first = next((problem.error for problem in call.problems if not problem.late), None)
    looked_up = call.command is not None and (call.command.lookup_first or call.command.name == "EXEC")
    if first is not None and not looked_up:  # EXEC turns what is wrong with it into EXECABORT
        engine = Engine()
        assert engine.execute(argv, 1) == first
        engine.close()


@settings(PROFILE, max_examples=400)
@given(st.lists(lines, max_size=6))
def test_no_line_of_any_words_makes_the_engine_raise(batch: list[list[bytes]]) -> None:
    engine = Engine()
    for argv in batch:
        reply = engine.execute(argv, 1)
        if isinstance(reply, Wait):
            assert reply.argv[0].upper() == argv[0].upper()
    engine.close()
