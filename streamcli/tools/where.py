"""`--where`: which entries are wanted, said about their fields, their ID and their time.

    temp > 30 and city = "Oslo"
    (kind in ("error", "fatal") or exists(trace)) and time > -10m
    `odd name` ~ "web-*" and not level = debug-level

Read once, into functions; nothing of it is ever run as Python. Whatever the
data, a test ends: it takes time by the length of the expression and of the entry.

What a comparison means:

- A name is a field of the entry; `id`, `time` and `stream` are not, unless they
  stand in backticks. A comparison with a field that is missing is false, `!=` too.
  A field that is repeated compares as any of its values does.
- A bare number is a number, and only values that are numbers compare with it.
  A string compares byte by byte. Two fields compare as numbers when both are.
- `id` and `time` compare with what `places` reads: IDs and times. A time, and an
  ID without its second part, is a whole millisecond.
- `~` is a pattern as KEYS has them: `*`, `?`, `[a-z]`, and a backslash.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from streamcli.flags import UsageError
from streamcli.tools.conditions import (
    Test,
    all_of,
    any_of,
    existing,
    field_is_number,
    field_is_text,
    field_like,
    fields_compare,
    id_and_field,
    id_is,
    negated,
    number_of,
    stream_is,
    stream_like,
)
from streamcli.tools.places import place
from streamcli.tools.pointing import PointedError

LONGEST: Final = 4096  # characters of an expression
DEEPEST: Final = 50  # parentheses and nots within each other
_OPTION: Final = "--where"
_SPACE: Final = " \t\r\n"
_OPERATORS: Final = ("==", "!=", "<>", "<=", ">=", "!~", "=", "<", ">", "~")
_SAME: Final = {"==": "=", "<>": "!="}
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_KEYWORDS: Final = frozenset(("and", "or", "not", "in", "exists"))
_ABOUT_THE_ENTRY: Final = ("id", "time", "stream")
_IN_A_NAME: Final = frozenset("_.:-@$#/")
_IN_A_NUMBER: Final = frozenset("_.:+-")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b"}
_WANTED: Final = "a field, id, time, stream, a number or a string"


class Token(NamedTuple):
    """`kind` is "word", "number", "string", "field", "op" or "end"; `at` is where it begins in the source."""

    kind: str
    text: str
    at: int
    data: bytes = b""

    def says(self, word: str) -> bool:
        return self.kind == "word" and self.text.lower() == word


def compiled(source: str, now_ms: int) -> Test:
    """The test that an expression describes; times are counted from `now_ms`. Raises PointedError."""
    if len(source) > LONGEST:
        raise PointedError(_OPTION, f"an expression has {LONGEST} characters at most", source, LONGEST)
    return _Parser(source, now_ms).whole()


# -- words ----------------------------------------------------------------------------------


def _tokens(source: str) -> list[Token]:
    found = []
    at = 0
    while at < len(source):
        character = source[at]
        if character in _SPACE:
            at += 1
            continue
        if character in "'\"`":
            token, at = _quoted(source, at)
        elif operator := next((one for one in _OPERATORS if source.startswith(one, at)), ""):
            token, at = Token("op", _SAME.get(operator, operator), at), at + len(operator)
        elif character in "(),":
            token, at = Token("op", character, at), at + 1
        else:
            token, at = _bare(source, at)
        found.append(token)
    found.append(Token("end", "", at))
    return found


def _quoted(source: str, start: int) -> tuple[Token, int]:
    """A string, or a field's name in backticks; escapes as in a line of commands."""
    quote = source[start]
    data = bytearray()
    at = start + 1
    while at < len(source):
        character = source[at]
        if character == quote:
            kind = "field" if quote == "`" else "string"
            return Token(kind, source[start : at + 1], start, bytes(data)), at + 1
        if character == "\\" and at + 1 < len(source):
            escaped, at = source[at + 1], at + 2
            code = source[at : at + 2]
            if escaped == "x" and len(code) == 2 and all(digit in "0123456789abcdefABCDEF" for digit in code):
                data.append(int(code, 16))
                at += 2
            elif escaped in (quote, "\\") or escaped in _ESCAPES:
                data += _ESCAPES.get(escaped, escaped).encode()
            else:  # a backslash of a pattern stays one
                data += _bytes("\\" + escaped)
            continue
        data += _bytes(character)
        at += 1
    what = "name" if quote == "`" else "string"
    raise PointedError(_OPTION, f"this {what} has no closing {quote}", source, start)


def _bare(source: str, start: int) -> tuple[Token, int]:
    """A name, or what begins as a number does: a number, an ID, a time."""
    first = source[start]
    numeric = first in "0123456789" or (first in "+-." and source[start + 1 : start + 2].isalnum())
    more = _IN_A_NUMBER if numeric else _IN_A_NAME
    at = start + numeric
    while at < len(source) and (source[at].isalnum() or source[at] in more or _is_strange(source[at])):
        at += 1
    if at == start:
        raise PointedError(_OPTION, f"{first} means nothing here; a string stands in quotes", source, start)
    text = source[start:at]
    return Token("number" if numeric else "word", text, start, _bytes(text)), at


def _is_strange(character: str) -> bool:
    """Part of a name in a script that has marks, or bytes that are not UTF-8."""
    return not character.isascii() and not character.isspace()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


# -- what is said ---------------------------------------------------------------------------


class _Parser:
    """or < and < not < a comparison, or parentheses."""

    def __init__(self, source: str, now_ms: int) -> None:
        self._source, self._now_ms = source, now_ms
        self._tokens = _tokens(source)
        self._next = 0
        self._depth = 0

    def whole(self) -> Test:
        if self._token.kind == "end":
            raise self._error("nothing is said", self._token)
        test = self._any()
        if self._token.kind != "end":
            raise self._error(f"and, or, or the end is wanted here, not {self._token.text}", self._token)
        return test

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _is_op(self, text: str) -> bool:
        return self._token.kind == "op" and self._token.text == text

    def _error(self, text: str, token: Token) -> PointedError:
        return PointedError(_OPTION, text, self._source, token.at)

    def _expect(self, text: str) -> None:
        if not self._is_op(text):
            shown = "the end" if self._token.kind == "end" else self._token.text
            raise self._error(f"{text} is wanted here, not {shown}", self._token)
        self._next += 1

    def _any(self) -> Test:
        tests = [self._all()]
        while self._token.says("or"):
            self._next += 1
            tests.append(self._all())
        return any_of(tests)

    def _all(self) -> Test:
        tests = [self._not()]
        while self._token.says("and"):
            self._next += 1
            tests.append(self._not())
        return all_of(tests)

    def _not(self) -> Test:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"parentheses and nots go {DEEPEST} deep at most", self._token)
        if self._token.says("not"):
            self._next += 1
            test = negated(self._not())
        elif self._is_op("("):
            self._next += 1
            test = self._any()
            self._expect(")")
        else:
            test = self._comparison()
        self._depth -= 1
        return test

    def _comparison(self) -> Test:
        if self._token.says("exists"):
            return self._exists()
        left = self._operand()
        if self._token.says("exists"):
            self._next += 1
            return existing(self._field(left))
        negated = self._token.says("not") and self._tokens[self._next + 1].says("in")
        if negated or self._token.says("in"):
            self._next += 1 + negated
            return self._among(left, "!=" if negated else "=")
        operator = self._token
        if operator.kind != "op" or operator.text in "(),":
            text = f"a comparison is wanted behind {left.text}: = != < <= > >= ~ in, or exists"
            raise self._error(text, operator)
        self._next += 1
        right = self._operand()
        if self._token.kind == "op" and self._token.text not in "(),":
            raise self._error("one comparison at a time: join two with and", self._token)
        return self._compare(left, operator.text, right)

    def _exists(self) -> Test:
        self._next += 1
        if not self._is_op("("):
            return existing(self._field(self._operand()))
        self._next += 1
        name = self._field(self._operand())
        self._expect(")")
        return existing(name)

    def _among(self, left: Token, operator: str) -> Test:
        """`in (a, b)`: equal to one of them; `not in`: there, and equal to none."""
        self._expect("(")
        tests = [self._compare(left, "=", self._operand())]
        while self._is_op(","):
            self._next += 1
            tests.append(self._compare(left, "=", self._operand()))
        self._expect(")")
        if operator == "=":
            return any_of(tests)
        there = [existing(left.data)] if _is_field(left) else []
        return all_of([*there, negated(any_of(tests))])

    def _operand(self) -> Token:
        token = self._take()
        if token.kind in ("op", "end") or (token.kind == "word" and token.text.lower() in _KEYWORDS):
            self._next -= 1
            shown = "the end" if token.kind == "end" else token.text
            raise self._error(f"{_WANTED} is wanted here, not {shown}", token)
        return token

    def _field(self, token: Token) -> bytes:
        if not _is_field(token):
            raise self._error("exists is asked of a field", token)
        return token.data

    def _compare(self, left: Token, operator: str, right: Token) -> Test:
        if operator in ("~", "!~"):
            return self._like(left, operator, right)
        if _rank(left) >= _rank(right):
            return self._about(left, operator, right)
        return self._about(right, _MIRRORED.get(operator, operator), left)

    def _like(self, left: Token, operator: str, right: Token) -> Test:
        subject = _subject(left)
        if not _rank(left) or subject in ("id", "time") or right.kind not in ("string", "number"):
            raise self._error('~ compares a field, or stream, with a pattern in quotes: city ~ "O*"', left)
        test = stream_like(right.data) if subject else field_like(left.data, right.data)
        if operator == "~":
            return test
        return negated(test) if subject else all_of([existing(left.data), negated(test)])

    def _about(self, left: Token, operator: str, right: Token) -> Test:
        """`left` is what is asked about: no constant, or both are."""
        subject = _subject(left)
        if not _rank(left):
            raise self._error("nothing here is about the entry: a field's name stands bare or in backticks", left)
        if subject in ("id", "time"):
            return self._in_time(subject, operator, right)
        if subject == "stream":
            if right.kind not in ("string", "number"):
                raise self._error("a stream compares with a name in quotes", right)
            return stream_is(operator, right.data)
        if right.kind == "string":
            return field_is_text(left.data, operator, right.data)
        if right.kind == "number":
            return self._number(left, operator, right)
        return fields_compare(left.data, operator, right.data)

    def _number(self, left: Token, operator: str, right: Token) -> Test:
        number = number_of(right.data)
        if number is None:
            text = (
                f'{right.text} is no number; in quotes it is a string: "{right.text}"; IDs and times go with id, time'
            )
            raise self._error(text, right)
        return field_is_number(left.data, operator, number)

    def _in_time(self, subject: str, operator: str, right: Token) -> Test:
        if right.kind == "field":
            return id_and_field(subject, operator, right.data)
        text = right.text if right.kind != "string" else right.data.decode("utf-8", "surrogateescape")
        try:
            first, last = place(text, self._now_ms), place(text, self._now_ms, last=True)
        except UsageError as error:
            raise self._error(f"{error}; a field's name stands in backticks here", right) from None
        return id_is(operator, first, last)


def _subject(token: Token) -> str:
    """ "id", "time" or "stream" when it is asked about that; "" otherwise."""
    word = token.text.lower()
    return word if token.kind == "word" and word in _ABOUT_THE_ENTRY else ""


def _rank(token: Token) -> int:
    """What leads a comparison: id, time and stream, else a field; 0 for a constant."""
    return 2 if _subject(token) else int(_is_field(token))


def _is_field(token: Token) -> bool:
    return token.kind == "field" or (token.kind == "word" and not _subject(token))
