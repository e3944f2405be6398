"""Where a typed text holds a secret: so that the screen can hide it and the history leave it out.

Errs on the side of secrecy: behind the first secret word of a line that is not
plainly right, everything is one. A text of many lines is looked at command by
command, comments too. What the table marks as secret needs no name here; what
is named are commands of servers that the table does not have, and this is the
one place where they may be. Pure, and linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache

from streamcli import words
from streamcli.grammar.commands import BY_WORD, COMMANDS
from streamcli.grammar.foreign import Foreign
from streamcli.ids import c_string
from streamcli.shell.line import ANALYSED_MAX, Line, Tail, read, segments, shown
from streamcli.shell.vocabulary import Vocabulary, in_force
from streamcli.words import Word

Span = tuple[int, int]

_SLIPPED = "AUTH"  # a slip of the finger here is a password on the screen
_GLUED = re.compile(rb"\W*" + _SLIPPED.encode() + rb"(.*)", re.DOTALL)  # `.AUTH x`; `AUTHx`, `AUTH"x"`, `AUTH:x`
_SETTING = re.compile(rb"pas|require|auth|masteruser", re.IGNORECASE)  # in a parameter's name of CONFIG or SENTINEL
_ACL_RULE = re.compile(rb"(?:^|[\s(])[><#!]")  # >password <password #hash !hash
_ASKS = re.compile(rb"(?:[\w-]*-)?(?:auth2?|pass(?:word|wd|phrase)?|requirepass|masterauth)", re.IGNORECASE)
_NAMES_ONE = re.compile(r"auth|pass|secret|token", re.IGNORECASE)  # of a variable, or before an equals sign
_WHOLE_URL = re.compile(rb"[A-Za-z][\w+.-]*://")
_URL = re.compile(r"""://([^\s"'<>]*)""")
_URL_OF_SHELL = re.compile(r"://(\S*)")
_NO_URL = re.compile(r"[^\s:@]*:([^\s]+)@")  # `redis:/user:x@host`, `user:x@host`
_PARAMETER = re.compile(r"[?&]([^=&?]*+)=([^&]++)")
_PORT = re.compile(r"\d{0,5}[^\w]*")
_SHELL_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*+"?|'[^']*+'?|\\)++""", re.DOTALL)
_FIRST = re.compile(r"""[\s#]*+([^\s"'\\]++)(?=\s|$)""")
_DISGUISES = frozenset("\"'\\|")  # with these a secret may be somewhere else, or look different
_HEAD_MAX = 256  # characters of a long text in which its command's name must be
_SECRET_MIN, _CUT_MIN, _STARS = 2, 12, "***"  # a shorter one would be found in every word
_ELSEWHERE = {b"ACL", b"SENTINEL", b"MIGRATE", b"CONFIG"}


def spans(text: str) -> list[Span]:
    """The places of a text that must not be seen, in order and apart; quotes are part of them."""
    return _merged(_found(text))


def holds_secret(text: str) -> bool:
    """Must this text not be kept? Stricter than `spans`: it takes the line to be all that will be typed."""
    if spans(text):
        return True
    if len(text) > ANALYSED_MAX or not ("hello" in text.lower() or '"' in text or "'" in text):
        return False
    return any(_lone_credential(Line(text[start:end])) for start, end in segments(text))


def masked(text: str) -> str:
    """The text with a star for each character that must not be seen."""
    characters = list(text)
    for start, end in spans(text):
        characters[start:end] = "*" * (end - start)
    return "".join(characters)


def hidden(message: str, typed: str) -> str:
    """What is said about a typed text, without the secrets in that, whole or cut."""
    for start, end in spans(typed):
        raw = typed[start:end]
        for secret in {raw, raw.strip("\"'"), *(word for word in re.split(r"[\s\"']+", raw))}:
            message = _without(message, secret)
    return message


def _without(message: str, secret: str) -> str:
    if len(secret) < _SECRET_MIN:
        return message
    message = message.replace(secret, _STARS)
    if len(secret) > _CUT_MIN and (at := message.find(secret[:_CUT_MIN])) >= 0:
        message = message[:at] + _STARS
    return message


def hidden_words(message: str, argv: Sequence[bytes]) -> str:
    """What is said about a command, without the secrets among its words."""
    secret = set[str]()
    for index in secret_words(argv):
        value = argv[index].decode("utf-8", "surrogateescape")
        secret.update((value, *value.split()))
    for value in sorted(secret, key=len, reverse=True):
        message = _without(message, value)
    return hidden(message, "".join(f"{shown(word)} " for word in argv))


def secret_words(argv: Sequence[bytes]) -> frozenset[int]:
    """The indexes of the words that hold secrets."""
    typed, places = "", []
    for word in argv:
        places.append(len(typed))
        typed += f"{shown(word)} "
    found = spans(typed)
    ends = [*places[1:], len(typed)]
    return frozenset(
        index
        for index, (start, end) in enumerate(zip(places, ends, strict=True))
        if any(low < end - 1 and start < high for low, high in found)
    )


def _found(text: str) -> Iterator[Span]:
    yield from _in_urls(text, 0, _URL)
    if len(text) > ANALYSED_MAX:
        yield from _in_long(text)
        return
    for start, end in segments(text):
        whole = end - start == len(text)
        for low, high in _in_command(text) if whole else _in_piece(text[start:end], in_force()):
            yield low + start, high + start


def _merged(found: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif end > start:
            merged.append((start, end))
    return merged


# -- one command --------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _in_piece(text: str, vocabulary: Vocabulary) -> tuple[Span, ...]:
    """Those of one command among others; only the one being typed is looked at again, or all by new words."""
    return () if _is_plain(text) else tuple(_in_command(text))


def _is_plain(text: str) -> bool:
    """Does the first word alone show that there is nothing to hide?"""
    if "://" in text or not _DISGUISES.isdisjoint(text):
        return False
    name = _first_word(text, 0, len(text))
    return name in BY_WORD and name not in _with_secrets()


def _in_command(text: str) -> Iterator[Span]:
    if text.lstrip()[:1] == "#":  # a command that was commented out keeps its password
        bare = text.lstrip(" \t#")
        text = " " * (len(text) - len(bare)) + bare
    line = read(text)
    for word, role in zip(line.words, line.call.roles, strict=False):
        if role is not None and role.kind == "secret":
            yield word.start, word.end
    rest = _rest(line)
    if rest is not None and (line.words[rest:] or line.tail is not None):
        yield from ((word.start, word.end) for word in line.words[rest:])
        if line.tail is not None:
            yield line.tail.start, line.tail.end
    if _is_no_row(line):
        yield from _in_words(text, line.words)
    yield from _in_url_words(text, line.words)
    if line.meta:  # a place to go to, that lacks some of its signs
        for word in line.words[1:]:
            if b"://" not in word.value and (slip := _NO_URL.match(text, word.start, word.end)):
                yield slip.span(1)
    if line.tail is not None and line.tail.kind == "|":
        yield from _in_shell(text, line.tail)


def _is_no_row(line: Line) -> bool:
    """Is its command none of the table's? A server tells little of what its own take."""
    command = line.call.command
    return command is None or command.open or isinstance(command, Foreign)


def _keyword(word: bytes) -> bytes:
    return c_string(word).upper()


def _rest(line: Line) -> int | None:
    """From which word on everything is secret; None when nothing, or when the roles say it all."""
    argv = line.argv
    if not argv:
        return None
    head = _keyword(argv[0])
    keywords = [_keyword(word) for word in argv] if head in (b"HELLO", b"MIGRATE") else []
    if head == b"HELLO":
        wrong = line.fault is not None or line.call.problems
        if not wrong or b"AUTH" not in keywords[1:]:
            return None
        at = keywords.index(b"AUTH", 1)
        return at + 1 if len(argv) == at + 2 else at + 2
    if head == b"MIGRATE":
        return next((at + 1 for at, word in enumerate(keywords) if word in (b"AUTH", b"AUTH2")), None)
    setting = b"SETUSER" in map(_keyword, argv[:3])
    if head == b"ACL" or setting:
        none = len(argv) if setting and line.tail is not None else None  # `> x`: a slip
        return next((at for at, word in enumerate(argv) if at >= 2 and _ACL_RULE.search(word)), none)
    if head in (b"CONFIG", b"SENTINEL") and _keyword(argv[1] if len(argv) > 1 else b"") != b"GET":
        return next((at + 1 for at, word in enumerate(argv) if at >= 1 and _SETTING.search(word)), None)
    if head in _all_secret() or head in _slips():
        return 1
    if head not in BY_WORD and (glued := _GLUED.match(head)):
        return 0 if glued[1] else 1
    if _is_no_row(line):
        return next((at + 1 for at, word in enumerate(argv) if _ASKS.fullmatch(word)), None)
    return None


def _lone_credential(line: Line) -> bool:
    """Is it a HELLO whose AUTH has one word only? That is a password without its user."""
    argv = [_keyword(word) for word in line.argv]
    return argv[:1] == [b"HELLO"] and b"AUTH" in argv[1:-1]


@cache
def _all_secret() -> frozenset[bytes]:
    """Commands of the table whose very first word is a secret: whatever follows is for nobody's eyes."""
    return frozenset(
        command.name.encode()
        for command in COMMANDS.values()
        if [roles[0].kind for _, roles in command.pieces() if roles][1:2] == ["secret"]
    )


@cache
def _with_secrets() -> frozenset[bytes]:
    """First words of the commands that may hold one."""
    known = {
        command.name.split()[0].encode()
        for command in COMMANDS.values()
        if any(role.kind == "secret" for _, roles in command.pieces() for role in roles)
    }
    return frozenset(known | _ELSEWHERE | _slips())


@cache
def _slips() -> frozenset[bytes]:
    """What one slip of the finger makes of AUTH."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    halves = [(_SLIPPED[:at], _SLIPPED[at:]) for at in range(len(_SLIPPED) + 1)]
    made = {a + b[1:] for a, b in halves if b}
    made |= {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    made |= {a + letter + b[1:] for a, b in halves if b for letter in letters}
    made |= {a + letter + b for a, b in halves for letter in letters}
    return frozenset({word.encode() for word in made} - set(BY_WORD))


# -- words that nobody knows ------------------------------------------------------------------------


def _in_words(text: str, found: list[Word]) -> Iterator[Span]:
    """Behind options (`-a`, `--pass`) and equals signs, and whole lines in quotes, of a command that nobody knows."""
    for at, word in enumerate(found):
        raw = text[word.start : word.end]
        if at and _is_option(found[at - 1].value):
            yield word.start, word.end
        yield from _behind_equals(raw, word.start)
        if b" " in word.value and len(word.value) < len(text) and _line_in(word.value):
            yield word.start, word.end


def _is_option(word: bytes) -> bool:
    return word == b"-a" or (word[:1] == b"-" and _ASKS.fullmatch(word.lstrip(b"-")) is not None)


def _behind_equals(raw: str, start: int) -> Iterator[Span]:
    name, equals, value = raw.partition("=")
    if equals and value and _NAMES_ONE.search(name):
        yield start + len(name) + 1, start + len(raw)


def _line_in(value: bytes) -> bool:
    """Does a word that is a line itself (`streamcli -e "AUTH x"`) hold a secret? It is looked into once."""
    inner = words.split(value)[0]
    if inner and _keyword(inner[0].value) in _with_secrets():
        return len(inner) > 1
    return any(_ASKS.fullmatch(word.value) for word in inner[:-1])


def _in_shell(text: str, tail: Tail) -> Iterator[Span]:
    """Secrets in a shell command. `-a` is a password's only for programs named like redis-cli."""
    yield from _in_urls(text, tail.start + 1, _URL_OF_SHELL)
    behind, client = "", False
    for match in _SHELL_WORD.finditer(text, tail.start + 1):
        raw = match.group()
        asked = behind.encode("utf-8", "replace")
        if (_is_option(asked) and (client or asked != b"-a")) or (client and _ASKS.fullmatch(asked)):
            yield match.span()
        yield from _behind_equals(raw, match.start())
        behind, client = raw, client or "cli" in raw


# -- URLs -----------------------------------------------------------------------------------------------


def _in_urls(text: str, start: int, pattern: re.Pattern[str]) -> Iterator[Span]:
    if "://" in text:
        for match in pattern.finditer(text, start):
            yield from _in_url(match.group(1), match.start(1))


def _in_url(run: str, start: int) -> Iterator[Span]:
    """The passwords in what follows `://`; without an `@` yet, what can be no port."""
    for match in _PARAMETER.finditer(run):
        if "pass" in match[1].lower():
            yield start + match.start(2), start + match.end(2)
    authority = re.split("[/?#]", run, maxsplit=1)[0]
    user, colon, rest = authority.partition(":")
    if not colon:
        return
    at = run.rfind("@")
    if at > len(user):
        yield start + len(user) + 1, start + at
    elif user[:1] != "[" and not _PORT.fullmatch(rest):
        yield start + len(user) + 1, start + len(run)


def _in_url_words(text: str, found: list[Word]) -> Iterator[Span]:
    """Words that are a URL as a whole, blanks and quotes and all; or that hide one in quotes or escapes."""
    for word in found:
        if b"://" not in word.value:
            continue
        raw = text[word.start : word.end]
        if _WHOLE_URL.match(word.value) and "://" in raw:
            start = raw.index("://") + 3
            shown = raw[start:].rstrip("\"'") if raw[:1] in ("'", '"') else raw[start:]
            yield from _in_url(shown, word.start + start)
        value = word.value.decode("utf-8", "surrogateescape")
        if value not in raw and any(_in_urls(value, 0, _URL)) and not any(_in_urls(raw, 0, _URL)):
            yield word.start, word.end


# -- long texts -------------------------------------------------------------------------------------------


def _in_long(text: str) -> Iterator[Span]:
    """All of it, when any command in it may hold a secret."""
    lower = text.lower()
    dash_a = " -a" in lower
    if "cli" in lower and (dash_a or "--pass" in lower):
        yield 0, len(text)
        return
    heads = _with_secrets()
    for start, end in segments(text):
        name = _first_word(text, start, end)
        if name in heads or (name not in BY_WORD and (dash_a or _NAMES_ONE.search(text, start, end))):
            yield 0, len(text)
            return


def _first_word(text: str, start: int, end: int) -> bytes:
    if match := _FIRST.match(text, start, end):
        return match.group(1).upper().encode("utf-8", "surrogatepass")
    head = text[start : min(end, start + _HEAD_MAX)].lstrip(" \t\r\v\f#").encode("utf-8", "surrogatepass")
    found = words.split(head)[0]
    return _keyword(found[0].value) if found else b""
