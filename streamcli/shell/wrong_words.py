"""Errors that lie in the words of a line: what is missing, too many, or no number, and what would be right.

Does not look at the data; the table and the parser know it all.
"""

from __future__ import annotations

from collections.abc import Sequence

from streamcli import errors
from streamcli.grammar import types as t
from streamcli.grammar.commands import COMMANDS
from streamcli.grammar.parse import Call
from streamcli.grammar.spec import Arg, Command, Halves, Option, Pairs
from streamcli.ids import U64_MAX, parse_id
from streamcli.reply import Error
from streamcli.shell.advising import (
    COMPARED_MAX,
    LINE_MAX,
    Advice,
    Case,
    about,
    given_options,
    keywords_of,
    listed,
    nearest,
    needs_one_of,
    stem,
    subcommands_of,
    with_usage,
)
from streamcli.shell.lookup import named
from streamcli.shell.vocabulary import in_force
from streamcli.text import columns
from streamcli.times import moment

_ROW_MAX = 100  # columns of a typed line that is pointed into


# -- words that are missing, too many, or not what stands there ---------------------------------


@about(stem(errors.arity("")))
def _arity(case: Case) -> str | None:
    command, argv = case.command, case.call.argv
    if command is None:
        return None
    if command.subcommands:
        return subcommands_of(command)
    if 0 < command.arity < len(argv):
        return _too_many(command, argv[command.arity])
    return _what_is_missing(case)


def _too_many(command: Command, word: bytes) -> str:
    if not command.parts:
        return f"{command.name} takes no more words"
    return with_usage(f"{named(word)} is one word too many", command)


def _what_is_missing(case: Case) -> str | None:
    """Read as a line that is still being typed: what comes next, or what does not belong."""
    command, call = case.command, case.call
    if command is None:
        return None
    draft = in_force().parse(call.argv, draft=True)
    if draft.problems:
        at = draft.problems[0].at
        role = draft.roles[at] if at < len(draft.roles) else None
        if role is not None and isinstance(role.part, Arg):
            return with_usage(f"{named(call.argv[at])} stands where {role.part.name} belongs", command)
        return _in_place_of_a_keyword(draft, command, at) or with_usage("it is written so", command)
    needed = [option.token for option in needs_one_of(command) if option in draft.expected]
    args = [one for one in draft.expected if isinstance(one, Arg) and not one.optional]
    halves = [one for one in draft.expected if isinstance(one, Halves)]
    if needed and not args:
        return with_usage(f"{listed(needed, 'or')} is missing", command)
    if args:
        return with_usage(f"{_the(args[-1], command, call)} is missing", command)
    return with_usage(f"{halves[0].token} is missing" if halves else "it is written so", command)


def _the(arg: Arg, command: Command, call: Call) -> str:
    if any(isinstance(part, Pairs) and part.second is arg for part in command.parts):
        return f"the {arg.name} of {named(call.argv[-1])}"
    return arg.name


def _in_place_of_a_keyword(call: Call, command: Command, at: int) -> str | None:
    """The word may be a keyword misspelt, or stand where one has to be."""
    if at >= len(call.argv):
        return None
    keywords, word = keywords_of(command), named(call.argv[at])
    near = nearest(call.argv[at].upper(), keywords)
    if near is not None and near != call.argv[at].upper():
        return f"{word} is no word of {command.name}; did you mean {near.decode()}?"
    wanted = [one.token for one in needs_one_of(command) if one.key not in call.args]
    if len(wanted) < len(needs_one_of(command)):  # one of them is there
        wanted = []
    if not wanted:
        wanted = [one.token for one in keywords.values() if isinstance(one, Halves) and one.left.key not in call.args]
    return with_usage(f"{word} stands where {listed(wanted, 'or')} belongs", command) if wanted else None


@about(
    errors.SYNTAX,
    stem(errors.bad_subcommand((b"", b""))),
    stem(errors.bad_xclaim_option(b"")),
    stem(errors.bad_hello_option(b"")),
    errors.bad_expire_option(b""),
)
def _stray(case: Case) -> str | None:
    """A word that does not belong where it stands, or one that lacks its company."""
    command, at, argv = case.command, case.at, case.call.argv
    if command is None:
        return None
    if at is None:
        return with_usage("it is written so", command)
    if at >= len(argv):
        return _what_is_missing(case)
    keywords, word = keywords_of(command), named(argv[at])
    part = keywords.get(argv[at].upper())
    if command.most is not None and at >= command.most:
        return _too_many(command, argv[at])
    if isinstance(part, Option):
        return _excluded(case, part) or _incomplete(case, part) or with_usage(f"{word} does not belong here", command)
    if part is not None:
        return f"{part.token} is incomplete: {part.token} {command.usage().partition(f'{part.token} ')[2]}"
    if case.arg is not None:
        if case.option is not None and case.option.rule is not None:
            return f"{case.option.token} does not take {word}"
        return _what_is_missing(case)
    said = _in_place_of_a_keyword(case.call, command, at)
    if said is None and keywords:
        return with_usage(f"{word} is no option of {command.name}", command)
    return said or _too_many(command, argv[at])


def _excluded(case: Case, option: Option) -> str | None:
    """Another option of the line that does not go with this one."""
    if option.one_of is None:
        return None
    rivals = [one for one in given_options(case) if one.one_of == option.one_of]
    others = [one.token for one in rivals if one is not option]
    if others:
        return f"{listed(dict.fromkeys([others[0], option.token]))} exclude each other: keep one"
    return f"{option.token} may be given only once" if len(rivals) > 1 else None


def _incomplete(case: Case, option: Option) -> str | None:
    assert case.at is not None
    if option.args and case.at + len(option.args) >= len(case.call.argv):
        return f"{option.token} is incomplete: {option.usage()}"
    return None


@about(errors.XREAD_UNBALANCED, errors.XREADGROUP_UNBALANCED, "ERR Unbalanced ")
def _unbalanced(case: Case) -> str | None:
    argv = case.call.argv
    parts = [role.part if role is not None else None for role in case.call.roles]
    at, token = next(((at, part.token) for at, part in enumerate(parts) if isinstance(part, Halves)), (0, ""))
    after = range(at + 1, len(argv))
    if not token or not after:
        return None
    need = "each key needs an ID"
    said = f"{len(after)} word{'s' if len(after) > 1 else ''} after {token}: {need}"
    pointed = _pointed(case, after, said)
    if pointed:
        return pointed
    inline = f"{token} {' '.join([f'{named(argv[index])}^' for index in after[:LINE_MAX]])}: {need}"
    return inline if len(inline) <= LINE_MAX else said


def _pointed(case: Case, words: range, said: str) -> str | None:
    """`^` under words of the line that was typed, then the sentence; None when the line is not one short row."""
    line = case.line
    if line is None or line.argv != case.call.argv:
        return None
    places = [line.words[index].start for index in words]
    before = line.text[: places[-1]]
    if not before.isprintable() or case.indent + columns(before) > _ROW_MAX:
        return None
    row = ""
    for place in places:
        row += " " * (case.indent + columns(before[:place]) - len(row)) + "^"
    row = f"{row}  {said}"
    return row if len(row) <= LINE_MAX else None


# -- IDs and numbers --------------------------------------------------------------------

_ANY_NOW_MS = 2_000_000_000_000  # whether a text is a time does not depend on when it is
_FORMS = (
    (b"1-1", "<ms>-<seq>"), (b"1", "<ms>"), (b"1-*", "<ms>-*"), (b"(1-1", "(<ms>-<seq>"), (b"*", "*"),
    (b"-", "-"), (b"+", "+"), (b"$", "$"), (b">", ">"),
)  # fmt: skip


def _time_at(argv: Sequence[bytes], at: int) -> bytes | None:
    """A time in words that a word is part of: `10 minutes ago`, whose `10` alone is an ID."""
    for first in (at, at - 1):
        for count in (3, 2, 1):
            phrase = b" ".join(argv[max(first, 0) : first + count])
            if first + count > at and moment(phrase.decode("utf-8", "replace"), _ANY_NOW_MS) is not None:
                return phrase
    return None


@about(errors.INVALID_ID)
def _invalid_id(case: Case) -> str | None:
    arg, at = case.arg, case.at
    if arg is None or arg.read is None or at is None or case.command is None:
        return None
    word = case.call.argv[at]
    keyword = _keyword_for_id(case, case.command, word) if word.isalpha() else None
    if keyword is not None:
        return keyword
    if (phrase := _time_at(case.call.argv, at)) is not None:
        return f"a time becomes an ID by Tab: press it behind {named(phrase)}"
    numbers = word.split(b"-")
    if len(numbers) <= 2 and all(digits.isdigit() and len(digits) < 100 for digits in numbers):
        return f"the numbers of an ID end at {U64_MAX}"
    forms = [shown for form, shown in _FORMS if not isinstance(arg.read(form), Error)]
    whose = _whose_id(case, at)
    if whose is not None:
        return f"{named(word)} stands where the ID of {whose} belongs: {listed(forms, 'or')}"
    return f"{named(word)} is no ID here: write {listed(forms, 'or')}"


def _keyword_for_id(case: Case, command: Command, word: bytes) -> str | None:
    """It is a keyword in the wrong place, or one misspelt."""
    keywords = keywords_of(command)
    near = nearest(word.upper(), keywords)
    if near is None:
        return None
    if near != word.upper():
        return f"{named(word)} is no ID; did you mean {near.decode()}?"
    halves = [one for one in keywords.values() if isinstance(one, Halves)]
    if halves:
        return f"{near.decode()} goes before {halves[0].token}"
    part = keywords[near]
    return _incomplete(case, part) if isinstance(part, Option) else None


def _whose_id(case: Case, at: int) -> str | None:
    """Behind STREAMS with several keys: the key that an ID is for."""
    role = case.call.roles[at]
    for part in case.command.parts if case.command is not None else ():
        if isinstance(part, Halves) and role is part.right.role and len(case.call.args[part.left.key]) > 1:
            return named(case.call.args[part.left.key][at - case.call.roles.index(role)])
    return None


@about(errors.INVALID_START, errors.INVALID_END)
def _empty_interval(case: Case) -> str | None:
    return f"no ID lies beyond {case.word}: leave out the (" if case.word else None


@about(errors.NEW_NEEDS_GROUP)
def _new_without_group(case: Case) -> str | None:
    return "$ waits for what is added next, 0 begins at the first entry; > belongs to XREADGROUP"


@about(errors.meaningless_id("$"), errors.meaningless_id("+"))
def _meaningless(case: Case) -> str | None:
    return "> is what no consumer of the group was given yet, 0 all that this consumer has pending"


_DURATIONS = {b"ms": 1, b"s": 1000, b"m": 60_000, b"h": 3_600_000, b"d": 86_400_000}


@about(errors.NOT_AN_INTEGER, errors.NOT_A_TIMEOUT, errors.XCLAIM_MIN_IDLE, errors.XAUTOCLAIM_MIN_IDLE)
def _number(case: Case) -> str | None:
    """A word that is no number, and how it would be one."""
    arg, at, option = case.arg, case.at, case.option
    if arg is None or at is None:
        return None
    word = case.call.argv[at]
    digits = bytes([byte for byte in word[:COMPARED_MAX] if 48 <= byte <= 57])
    unit_ms = _DURATIONS.get(word[len(digits) :].lower())
    if unit_ms and word[: len(digits)] == digits and digits and arg.type.name in ("milliseconds", "seconds"):
        value = int(digits) * unit_ms // (1000 if arg.type.name == "seconds" else 1)
        return f"{named(word)} is written {value} here, in {arg.type.name}"
    plain = digits.lstrip(b"0") or digits[:1]
    like_a_number = bool(plain) and not word.strip(b"+0123456789,_ \t\n")
    if like_a_number and len(plain) > 18:
        return f"{named(word)} is too large a number"
    if like_a_number and plain != word and len(word) <= COMPARED_MAX:
        return f"{named(word)} is written {plain.decode()} here"
    if t.read_integer(word) is not None:
        return f"{named(word)} is out of range for {arg.name}"
    if option is None:
        return with_usage(f"{arg.name} must be a whole number, not {named(word)}", case.command)
    rival = next((one for one in _rivals(case, option) if one.args and not _is_error(one.args[0], word)), None)
    more = f"; {rival.token} takes an ID" if rival is not None and rival.args[0].type.name == "id" else ""
    return f"{option.token} takes a whole number, not {named(word)}{more}"


def _is_error(arg: Arg, word: bytes) -> bool:
    return arg.read is not None and isinstance(arg.read(word), Error)


def _rivals(case: Case, option: Option) -> list[Option]:
    if case.command is None or option.one_of is None:
        return []
    known = [one for one in keywords_of(case.command).values() if isinstance(one, Option)]
    return [one for one in known if one.one_of == option.one_of and one is not option]


def _zero(meaning: str) -> Advice:
    """What 0 says where a number below it was given."""
    return lambda case: f"{case.option.token} 0 {meaning}" if case.option is not None else None


about(errors.NEGATIVE_TIMEOUT, errors.TIMEOUT_OUT_OF_RANGE)(_zero("waits for ever"))
about(errors.MAXLEN_NEGATIVE)(_zero("removes every entry"))
about(errors.LIMIT_NEGATIVE)(_zero("sets no limit"))
about(errors.CLAIM_NEGATIVE)(_zero("takes over whatever is pending"))
about(errors.XNACK_RETRYCOUNT)(_zero("is the least"))


@about(errors.MAXCOUNT_RANGE, errors.MAXSIZE_RANGE)
def _no_limit(case: Case) -> str | None:
    return f"leave {case.option.token} out for no limit" if case.option is not None else None


@about(errors.MAXCOUNT_BELOW_COUNT)
def _maxcount(case: Case) -> str:
    return f"COUNT is for each stream, MAXCOUNT for all of them: MAXCOUNT {case.call.args.get('count')} or more"


# -- IDs that are counted ---------------------------------------------------------------------


@about(errors.NUMIDS, errors.NUMIDS_TOO_MANY, errors.XNACK_NUMIDS, errors.XNACK_NUMIDS_TOO_MANY)
def _counted_ids(case: Case) -> str | None:
    """How many there are: what follows the number, or the ID that stands in its place."""
    roles, argv = case.call.roles, case.call.argv
    ids = [word for word, role in zip(argv, roles, strict=False) if role is not None and role.kind == "id"]
    word = argv[case.at] if case.at is not None and case.at < len(argv) else b""
    if word not in ids and b"-" in word and parse_id(word):
        ids.insert(0, word)
    shown = " ".join(map(named, ids[:3])) + (" ..." if len(ids) > 3 else "")
    return f"say how many IDs follow: IDS {len(ids)} {shown}" if ids else None


@about(errors.XNACK_MODE)
def _mode(case: Case) -> str | None:
    return with_usage(f"{case.word} stands where SILENT, FAIL or FATAL belongs", case.command) if case.word else None


# -- adding once ------------------------------------------------------------------------------


@about(errors.IDMP_NEEDS_AUTO_ID)
def _auto_id(case: Case) -> str | None:
    roles, argv = case.call.roles, case.call.argv
    given = next((word for word, role in zip(argv, roles, strict=False) if role is not None and role.kind == "id"), b"")
    return f"write * in place of {named(given)}: the stream makes the ID of what it adds once" if given else None


@about(errors.NO_IDMP_SETTING)
def _no_setting(case: Case) -> str | None:
    return with_usage("say what to set", case.command)


@about(errors.IDMP_DURATION_TWICE, errors.IDMP_MAXSIZE_TWICE)
def _set_twice(case: Case) -> str | None:
    return f"{case.error.text.split()[1]} may be given only once"


def by_the_word(case: Case) -> str | None:
    """Errors without advice of their own: what is known of the word."""
    at, roles = case.at, case.call.roles
    role = roles[at] if at is not None and at < len(roles) else None
    if role is not None and isinstance(role.part, Option) and role.part.refused:
        takers = [
            one for one in COMMANDS.values() if role.part.token.encode() in keywords_of(one) and one.group == "stream"
        ]
        return with_usage(f"{takers[0].name} takes it", takers[0]) if takers else None
    if case.arg is None or at is None or case.arg.type.name not in _COUNTING:
        return None
    return _number(case) if t.read_integer(case.call.argv[at]) is None else None


_COUNTING = frozenset({"count", "milliseconds", "seconds", "unix-time", "unix-time-ms", "integer", "db", "protocol"})


# -- options that do not go together --------------------------------------------------------


@about(errors.ONE_STRATEGY)
def _one_strategy(case: Case) -> str | None:
    given = [option for option in given_options(case) if option.clash == errors.ONE_STRATEGY]
    return _excluded(case, given[-1]) if given else None


def _strategies(case: Case) -> list[Option]:
    """The options that say what to trim to: those that have marks."""
    words = keywords_of(case.command).values() if case.command is not None else ()
    return [one for one in words if isinstance(one, Option) and one.marks]


@about(errors.NO_STRATEGY)
def _no_strategy(case: Case) -> str | None:
    options = [option.usage() for option in _strategies(case)]
    return f"say what to keep: {listed(options, 'or')}" if options else None


@about(errors.LIMIT_NEEDS_STRATEGY)
def _limit_alone(case: Case) -> str | None:
    options = [f"{option.token} ~ {option.args[0].name}" for option in _strategies(case)]
    return f"only an approximate trim has a limit: add {listed(options, 'or')}" if options else None


@about(errors.LIMIT_NEEDS_APPROX)
def _limit_of_exact(case: Case) -> str | None:
    given = next((option for option in given_options(case) if option.marks), None)
    if given is None:
        return _limit_alone(case)
    role = given.args[0].role
    value = next((w for w, one in zip(case.call.argv, case.call.roles, strict=False) if one is role), b"")
    return f"only an approximate trim has a limit: {given.token} ~ {named(value)}"


@about(errors.GROUP_MISSING)
def _group_missing(case: Case) -> str | None:
    needed = needs_one_of(case.command) if case.command is not None else []
    return with_usage(f"{needed[0].usage()} is missing", case.command) if needed else None
