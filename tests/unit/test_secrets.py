"""Where a typed text holds secrets: every way of writing one, and what is none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli import words
from streamcli.shell.line import ANALYSED_MAX
from streamcli.shell.secrets import hidden_words, holds_secret, spans


def hidden(text: str) -> list[str]:
    return [text[start:end] for start, end in spans(text)]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("AUTH x", ["x"]),
        ("AUTH user pass", ["user", "pass"]),
        ("  aUtH\tx", ["x"]),
        ("AUTH a b c d", ["a", "b", "c", "d"]),
        ("AUTH 'p w'", ["'p w'"]),
        ('AUTH "half', ['"half']),
        ('AUTH "a"b', ['"a"b']),
        ("AUTH a | b", ["a", "| b"]),
        ("AUTH > x", ["> x"]),
        ("AUTH \\\n x", ["x"]),
        ('"AUTH" x', ["x"]),
        ('"\\x41UTH" x', ["x"]),
        ("A'UTH' x", ["x"]),
        ('"AUTH\\x00" x', ["x"]),
        ("AUTH \udcff\xe9", ["\udcff\xe9"]),
        ("# AUTH x", ["x"]),
        ("AUHT x", ["x"]),
        ("AUT x", ["x"]),
        ("AUTHH x", ["x"]),
        ("HELLO 3 AUTH user x", ["x"]),
        ("HELLO 3 AUTH user x SETNAME me", ["x"]),
        ("HELLO 3 SETNAME AUTH AUTH user x", ["x"]),
        ("hello 9 auth user x", ["x"]),
        ("HELLO AUTH user x", ["x"]),
        ("HELLO 3 AUTH user my word", ["my", "word"]),
        ('HELLO 3 AUTH user "x"y', ['"x"y']),
        ("ACL SETUSER bob on >x ~* +@all", [">x", "~*", "+@all"]),
        ("acl setuser bob '<x y'", ["'<x y'"]),
        ("ACL SETUSER bob #5e88", ["#5e88"]),
        ("ACL SETUSER bob !5e88", ["!5e88"]),
        ("ACL SETUSR bob >x", [">x"]),
        ('ACL SETUSER "bob" "on >x"', ['"on >x"']),
        ("CONFIG SET requirepass x", ["x"]),
        ("config set MASTERAUTH x", ["x"]),
        ("CONFIG SET masteruser x", ["x"]),
        ("CONFIG SET tls-key-file-pass x", ["x"]),
        ("CONFIG SET maxmemory 1 requirepass my word", ["my", "word"]),
        ("CONFIG SETT requirepass x", ["x"]),
        ("MIGRATE h 6379 k 0 10 AUTH x", ["x"]),
        ("MIGRATE h 6379 '' 0 10 COPY auth2 user x KEYS a", ["user", "x", "KEYS", "a"]),
        ("SENTINEL SET prod auth-pass x", ["x"]),
        ("SENTINEL CONFIG SET sentinel-pass x", ["x"]),
        ("HSET u password x", ["x"]),
        (".connect redis://:x@host", ["x"]),
        (".connect redis://user:x@host:6379/0", ["x"]),
        (".connect 'rediss://user:x y@host'", ["x y"]),
        (".connect 'redis://user:x\"y@host'", ['x"y']),
        (".connect redis://user:a/b@c@host", ["a/b@c"]),
        (".connect redis://user:hal", ["hal"]),
        (".connect redis://h?password=x", ["x"]),
        (".connect unix:///s?db=1&password=x&sentinel_password=y", ["x", "y"]),
        (".connect redis://:12345a", ["12345a"]),
        ('.connect redis:"//:x@host"', ['redis:"//:x@host"']),
        ('.connect "redis:\\x2f/:x@host"', ['"redis:\\x2f/:x@host"']),
        (".connect redis:/user:x@host", ["/user:x"]),
        (".connect user:x@host:6379", ["x"]),
        (".clone s redis//u:x@host", ["x"]),
        (".auth x", ["x"]),
        ("> AUTH x", ["x"]),
        ('AUTH"x y"', ['AUTH"x y"']),
        ("AUTH\xa0x", ["AUTH\xa0x"]),
        ("AUTHxyz", ["AUTHxyz"]),
        ("ACL SETUSER bob on > x", ["> x"]),
        ("CONFIG SET requirepas x", ["x"]),
        ("CONFIG SET requrepass x", ["x"]),
        (".connect -a x -h host", ["x"]),
        (".connect --pass x", ["x"]),
        (".connect --PASS=x", ["x"]),
        ("# redis://:x@host", ["x"]),
        ("XADD s * url http://user:x@host/path", ["x"]),
        ("XADD s * text 'see http://user:x@host now'", ["x"]),
        ("XRANGE s - + > redis://:x@host", ["x"]),
        ("XRANGE s - + | curl http://user:x@host", ["x"]),
        ("XRANGE s - + | redis-cli -a x -h host", ["x"]),
        ("XRANGE s - + | valkey-cli AUTH x", ["x"]),
        ("XRANGE s - + | mysql --password='x y'", ["'x y'"]),
        ("XRANGE s - + | REDISCLI_AUTH=x redis-cli", ["x"]),
        ("streamcli -a x XLEN s", ["x"]),
        ('streamcli -e "AUTH x"', ['"AUTH x"']),
        ("redis-cli AUTH x", ["x"]),
        ("XLEN a\n\nAUTH x\n  # AUTH y\nXLEN b", ["x", "y"]),
        ('XADD s * f "a\nb"\nAUTH "x\ny"\nXLEN s', ['"x\ny"']),
    ],
)  # fmt: skip
def test_secrets_are_found_and_nothing_else(text: str, secret: list[str]) -> None:
    assert hidden(text) == secret
    assert holds_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "AUTH", "AUTH ", "HELLO", "HELLO 3", "HELLO 3 AUTH", "HELLO 3 SETNAME auth", "PING",
        "ACL SETUSER bob on nopass ~*", "ACL WHOAMI", "ACL GETUSER bob", "CONFIG SET requirepass",
        "CONFIG GET requirepass maxmemory", "CONFIG SET maxmemory 1", "MIGRATE h 6379 k 0 10 COPY",
        "SENTINEL SET prod quorum 2", ".help AUTH", "help auth", ".format json", ".connect redis://host:6379",
        ".connect redis://host:6379/0", ".connect redis://[::1]:6379", '.connect "redis://host:6379"',
        ".connect redis://user@host", ".connect @prod", ".connect host:6379", "ACL LIST > users.txt",
        "ACL LIST | grep @", ".connect redis://:", "XADD s * a@b c:d", "XADD s * mail a@b.c",
        "XADD s * url http://host/a:b@c", "XADD s * -a b", "XADD s * password b", "XRANGE s - + | grep -a b",
        """XADD s * j '{"u":"http://h:80","m":"b@c"}'""", "XRANGE s - + | jq .a=1", "# a note", "XREAD STREAMS a >",
        "XADD s * text 'AUTH is a command'", "SET auth 1",
    ],
)  # fmt: skip
def test_what_holds_no_secret_is_left_alone(text: str) -> None:
    assert hidden(text) == []
    assert not holds_secret(text)


def test_a_user_being_typed_is_seen_but_a_line_sent_with_one_word_behind_auth_is_not_kept() -> None:
    for text in ("HELLO 3 AUTH x", 'XLEN a\n"H\\x45LLO" 3 AUTH x'):
        assert hidden(text) == []
        assert holds_secret(text)


# -- long texts -------------------------------------------------------------------------------------

LONG = "x" * (ANALYSED_MAX + 1)


@pytest.mark.parametrize(
    "text",
    [
        f"AUTH {LONG}", f"  auth\t{LONG}", f'"\\x41UTH" {LONG}', f"'AUTH' {LONG}", f"# AUTH {LONG}", f"AUHT {LONG}",
        f"XADD s * f {LONG}\nAUTH x", f"XADD s * f '{LONG}\n'\nHELLO 3 AUTH u x", f"ACL SETUSER bob >{LONG}",
        f"CONFIG SET requirepass {LONG}", f"XADD s * f {LONG} | redis-cli -a x", f"HSET u password {LONG}",
    ],
)  # fmt: skip
def test_a_long_text_that_may_hold_a_secret_is_one_as_a_whole(text: str) -> None:
    assert spans(text) == [(0, len(text))]
    assert holds_secret(text)


@pytest.mark.parametrize(
    "text", [f"XADD s * f {LONG}", f"XADD s * '{LONG}\nAUTH x'", LONG, f"PING\nXADD s * auth {LONG}\nPING"]
)
def test_other_long_texts_hold_none(text: str) -> None:
    assert spans(text) == []
    assert not holds_secret(text)


def test_a_url_in_a_long_text_hides_its_password_alone() -> None:
    assert hidden(f"XADD s * f {LONG} g http://user:word@host") == ["word"]


# -- whatever is typed ----------------------------------------------------------------------------------

secret_words = st.binary(min_size=1, max_size=12)


def _quoted(word: bytes, style: str) -> str:
    if style == "hex":
        return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"'
    if style == "single":
        return "'" + word.decode("utf-8", "surrogateescape").replace("'", "\\'") + "'"
    return words.quote(word).decode("utf-8", "surrogateescape")


@settings(derandomize=True, deadline=None, max_examples=400)
@given(
    st.lists(st.tuples(secret_words, st.sampled_from(["plain", "single", "hex"])), min_size=1, max_size=3),
    st.sampled_from(["AUTH", "auth", '"AUTH"', "'Auth'", '"\\x41uth"', "  AUTH"]),
    st.sampled_from([" ", "  ", "\t"]),
    st.sampled_from(["", "XLEN a\n", "\n\n", "XADD s * f 'a\nb'\n"]),
)
def test_no_password_word_is_seen_however_it_is_quoted(
    given_words: list[tuple[bytes, str]], name: str, blank: str, before: str
) -> None:
    line = blank.join([name, *(_quoted(word, style) for word, style in given_words)])
    text = before + line
    shown = "".join(
        " " if any(start <= at < end for start, end in spans(text)) else character for at, character in enumerate(text)
    )
    assert shown.rstrip() == before + name or shown.strip() == (before + name).strip()
    assert holds_secret(text)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.text(st.sampled_from("AUTHauth \t\n\"'\\x41:/@#>|.-=") | st.characters(), max_size=40))
def test_spans_are_in_order_and_apart_and_inside_the_text(text: str) -> None:
    found = spans(text)
    assert all(0 <= start < end <= len(text) for start, end in found)
    assert all(one[1] < next[0] for one, next in pairwise(found))


@pytest.mark.parametrize(
    ("argv", "message", "shown"),
    [
        ((b"AUHT", b"hunter2"), "beginning with: 'hunter2'", "beginning with: '***'"),
        ((b"AUTH", b"ann", b'it\'s "so"'), 'no it\'s "so" for ann', "no *** for ***"),
        ((b"AUTH", b"a b c"), "no a b c", "no ***"),
        ((b"AUTH", b"two words"), "no two\nwords", "no ***\n***"),
        ((b"AUTH", "päss".encode()), "no päss", "no ***"),
        ((b"AUTH", b"\xff\xfe"), "no \udcff\udcfe", "no ***"),
        ((b"AUTH", b"0123456789" * 20), f"no '{'0123456789' * 12}'", "no '***"),
        ((b"ECHO", b"redis://ann:pw@h"), "no redis://ann:pw@h", "no ***"),
        ((b"XADD", b"stream", b"*", b"f"), "no stream", "no stream"),
    ],
)
def test_what_is_said_of_a_command_repeats_no_secret_of_its_words(
    argv: tuple[bytes, ...], message: str, shown: str
) -> None:
    assert hidden_words(message, argv) == shown


def test_half_of_a_surrogate_pair_is_no_reason_to_stop() -> None:
    assert hidden("AUTH x\ud800") == ["x\ud800"]
    assert hidden("PING \ud800") == []
