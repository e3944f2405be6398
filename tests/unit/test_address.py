"""Addresses: what each form of a URL says, and that no fault repeats what may be a password."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.backend import address as addresses
from streamcli.backend.address import Address, AddressError, Tls, address, host_fault, node, nodes
from streamcli.times import seconds

SPELL = "in a user or a password write @ as %40, / as %2F, ? as %3F, # as %23 and % as %25"
NO_PORT = "the port must be a number from 1 to 65535"
BRACKETS = "an IPv6 address stands in brackets, as in [::1]:6379"
NO_HOST = "must be the name or the address of a host"
NO_DB = "the database must be a number from 0 to 2147483647"
BEGINS = "a URL begins with redis://, rediss://, valkey://, valkeys://, unix://, redis+sentinel:// or redis+cluster://"
SOCKET = "unix:// is followed by the whole path of a socket, as in unix:///run/redis.sock"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://", Address()),
        ("redis://h", Address("h")),
        ("REDIS://h", Address("h")),
        ("valkey://h", Address("h")),
        ("redis://h/", Address("h")),
        ("redis://h:7", Address("h", 7)),
        ("redis://:7", Address(port=7)),
        ("redis://h:65535/15", Address("h", 65535, db=15)),
        ("redis://h/2147483647", Address("h", db=2147483647)),
        ("redis://h?db=2", Address("h", db=2)),
        ("redis://h/?db=2", Address("h", db=2)),
        ("redis://h?", Address("h")),
        ("redis:///2", Address(db=2)),
        ("redis://127.0.0.1:1", Address("127.0.0.1", 1)),
        ("redis://[::1]", Address("::1")),
        ("redis://[::1]:7/2", Address("::1", 7, db=2)),
        ("redis://u:p@[fe80::1%25eth0]:7", Address("fe80::1%eth0", 7, user="u", password="p")),
        ("redis://gr\u00fc\u00df.de", Address("gr\u00fc\u00df.de")),
        ("redis://ann@h", Address("h", user="ann")),
        ("redis://ann:@h", Address("h", user="ann")),
        ("redis://:pw@h", Address("h", password="pw")),
        ("redis://:@h", Address("h")),
        ("redis://@h", Address("h")),
        ("redis://ann:pw@", Address(user="ann", password="pw")),
        ("redis://ann:a:b@h", Address("h", user="ann", password="a:b")),
        ("redis://ann:a@b@h", Address("h", user="ann", password="a@b")),
        ("redis://a%3Ab:%40%2f%3F%23%25@h", Address("h", user="a:b", password="@/?#%")),
        ("redis://:a+b@h", Address("h", password="a+b")),
        ("redis://:%ff%20\u00fc@h", Address("h", password="\udcff \u00fc")),
        ("redis://h?username=ann&password=p%26w", Address("h", user="ann", password="p&w")),
        ("redis://h?user=ann", Address("h", user="ann")),
        ("redis://h?protocol=2", Address("h", protocol=2)),
        ("redis://h?timeout=2.5&connect_timeout=0", Address("h", timeout=2.5, connect_timeout=None)),
        ("redis://h?socket_timeout=3&socket-connect-timeout=4", Address("h", timeout=3.0, connect_timeout=4.0)),
        ("redis://h?read_from=replica", Address("h", replica=True)),
        ("redis://h?read-from=primary", Address("h")),
        ("rediss://h", Address("h", tls=Tls())),
        ("valkeys://h", Address("h", tls=Tls())),
        ("rediss://h?cacert=/a&cert=/b&key=/c&sni=n", Address("h", tls=Tls("/a", "/b", "/c", "n"))),
        ("rediss://h?ssl_ca_certs=/a&ssl_certfile=/b&ssl_keyfile=/c", Address("h", tls=Tls("/a", "/b", "/c"))),
        ("rediss://h?ssl_cert_reqs=none", Address("h", tls=Tls(verify=False))),
        ("rediss://h?ssl_cert_reqs=required", Address("h", tls=Tls())),
        ("unix:///run/redis.sock", Address(path="/run/redis.sock")),
        ("redis+unix:///run/redis.sock", Address(path="/run/redis.sock")),
        ("unix:///run/a%20b@c.sock?db=2", Address(path="/run/a b@c.sock", db=2)),
        ("unix://:pw@/x.sock", Address(path="/x.sock", password="pw")),
        ("unix://ann:pw@/x.sock", Address(path="/x.sock", user="ann", password="pw")),
        ("unix:///x?password=pw", Address(path="/x", password="pw")),
        ("redis+sentinel://a/m", Address(sentinels=(("a", 26379),), master="m")),
        ("valkey+sentinel://a/m", Address(sentinels=(("a", 26379),), master="m")),
        ("redis+sentinel://u:p@a:1,[::1],[::1]:3/my%20m/2",
         Address(user="u", password="p", sentinels=(("a", 1), ("::1", 26379), ("::1", 3)), master="my m", db=2)),
        ("rediss+sentinel://a/m?sentinel_user=u&sentinel_password=p",
         Address(sentinels=(("a", 26379),), master="m", tls=Tls(), sentinel_user="u", sentinel_password="p")),
        ("redis+cluster://h:7", Address("h", 7, cluster=True)),
        ("rediss+cluster://h", Address("h", cluster=True, tls=Tls())),
    ],
)  # fmt: skip
def test_what_a_url_says(url: str, expected: Address) -> None:
    assert tuple(address(url)) == tuple(expected)


HINT = f" (a password stands before an @; {SPELL})"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("", BEGINS),
        ("secret", BEGINS),
        ("secret@h", BEGINS),
        ("redis:/h", BEGINS),
        ("http://:secret@h", BEGINS),
        ("redi://:secret@h", f"{BEGINS} (did you mean redis://?)"),
        ("redis+secret://h", f"{BEGINS} (did you mean redis+sentinel://?)"),
        ("unix+cluster:///x", f"{BEGINS} (did you mean redis+cluster://?)"),
        (":secret://@h", BEGINS),
        ("redis://:se cret@h", "a URL has no blanks and no control characters; a blank is written %20"),
        ("redis://:se\x1b[31mcret@h", "a URL has no blanks and no control characters; a blank is written %20"),
        ("redis://:se#cret@h", f"a URL of a server has no #; {SPELL}"),
        ("redis://u:se/cret@h", f"there is an @ behind the host; {SPELL}"),
        ("redis://u:se?cret@h", f"there is an @ behind the host; {SPELL}"),
        ("redis://:?secret@h", f"there is an @ behind the host; {SPELL}"),
        ("unix://u:se?cret@/x", f"there is an @ behind the host; {SPELL}"),
        ("unix://u:se/cret@/x", SOCKET),
        ("redis://:%sec@h", "in a URL two hexadecimal digits follow a %; a % itself is written %25"),
        ("redis://:secret%@h", "in a URL two hexadecimal digits follow a %; a % itself is written %25"),
        ("redis://:secret%4@h", "in a URL two hexadecimal digits follow a %; a % itself is written %25"),
        ("redis://user:secret", f"{NO_PORT}{HINT}"),
        ("redis://h:0", NO_PORT),
        ("redis://h:65536", NO_PORT),
        ("redis://h:6379000000000000000000", NO_PORT),
        ("redis://h:", NO_PORT),
        ("redis://h:-1", f"{NO_PORT}{HINT}"),
        ("redis://h:\u0661", NO_PORT),
        ("redis://::1", BRACKETS),
        ("redis://u:sec:ret", f"{BRACKETS}{HINT}"),
        ("redis://[::1", BRACKETS),
        ("redis://[::1]:", BRACKETS),
        ("redis://[::1]7", f"{BRACKETS}{HINT}"),
        ("redis://[h]", f"{BRACKETS}{HINT}"),
        ("redis://h%00", f"what is behind :// {NO_HOST}"),
        ("redis://a%2Fb", f"what is behind :// {NO_HOST}"),
        ("redis://h/secret", f"{NO_DB}, as in redis://host/2"),
        ("redis://h/1/2", f"{NO_DB}, as in redis://host/2"),
        ("redis://h/-1", f"{NO_DB}, as in redis://host/2"),
        ("redis://h/2147483648", f"{NO_DB}, as in redis://host/2"),
        ("redis://h?db=secret", NO_DB),
        ("redis://h/2?db=2", "the URL gives db twice"),
        ("redis://:secret@h?password=x", "the URL gives password twice"),
        ("redis://h?timeout=1&socket_timeout=1", "the URL gives timeout twice"),
        ("redis://h?password=a&secret",
         "the URL has a parameter that means nothing here (there are db, user, password, sentinel_user, "
         "sentinel_password, cacert, cert, key, sni, timeout, connect_timeout, protocol, read_from)"),
        ("redis://h?tmeout=3", "the URL has a parameter that means nothing here (did you mean timeout?)"),
        ("redis://h?passwrd=secret", "the URL has a parameter that means nothing here (did you mean password?)"),
        ("redis://h?password=", "password needs a value"),
        ("redis://h?timeout=x", "timeout must be a number of seconds, such as 2.5"),
        ("redis://h?timeout=-1", "timeout must be a number of seconds, such as 2.5"),
        ("redis://h?protocol=4", "protocol must be 2 or 3"),
        ("redis://h?read_from=slave", "read_from must be primary or replica"),
        ("rediss://h?ssl_cert_reqs=optional", "ssl_cert_reqs must be required or none"),
        ("redis://h?ssl_cert_reqs=none", "ssl_cert_reqs needs a URL with TLS, as in rediss://host"),
        ("redis://h?cacert=x", "cacert needs a URL with TLS, as in rediss://host"),
        ("rediss://h?cert=x", "the URL gives cert without key"),
        ("rediss://h?cacert=a%00b", "cacert needs a value"),
        ("rediss+unix:///x", "there is no TLS over a unix socket"),
        ("unix://", SOCKET),
        ("unix:///", SOCKET),
        ("unix://run/x", SOCKET),
        ("unix:///a%00b", SOCKET),
        ("redis+sentinel://a", "a Sentinel's URL names its master, as in redis+sentinel://host:26379/mymaster"),
        ("redis+sentinel://a,,b/m", "there is no host beside one of the commas"),
        ("redis+sentinel://a/m/secret", f"{NO_DB}, as in redis://host/2"),
        ("redis://a,b", "the URL names more than one host; give one of them"),
        ("redis+cluster://a,b", "the URL names more than one host; give one of them"),
        ("redis://h?sentinel_password=secret", "sentinel_user and sentinel_password are for redis+sentinel://"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_without_the_secret(url: str, text: str) -> None:
    with pytest.raises(AddressError) as raised:
        address(url)
    assert str(raised.value) == text


SECRET = "xq7Zk"
PIECES = st.sampled_from(
    ["redis", "rediss", "unix", "redis+sentinel", "://", ":", "@", "/", "?", "#", "&", "=", "%", "%4", ",", "[", "]",
     "h", "user", "6379", "db", "db=", "password=", "protocol=", "timeout=", "cert=", " ", "\n", "\x1b", "\udcff", "+",
     SECRET, SECRET, SECRET]
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=2000)
@given(st.lists(PIECES, max_size=12).map("".join) | st.lists(PIECES, max_size=8).map(lambda s: "redis://" + "".join(s)))
def test_no_fault_of_any_text_repeats_a_piece_of_it(text: str) -> None:
    try:
        found = address(text)
    except AddressError as error:
        said = str(error)
        assert SECRET not in said
        assert said.isprintable()
        assert said
    else:
        assert 1 <= found.port <= 65535
        assert found.password is None or found.password not in repr(found) or found.password in (found.host, "")


@settings(derandomize=True, deadline=None, max_examples=300)
@given(user=st.binary(max_size=8), password=st.binary(min_size=1, max_size=8), db=st.integers(0, 2**31 - 1))
def test_any_bytes_can_be_user_and_password(user: bytes, password: bytes, db: int) -> None:
    spelled = [b"".join(b"%%%02X" % byte for byte in each).decode() for each in (user, password)]
    found = address(f"redis://{spelled[0]}:{spelled[1]}@h/{db}")
    assert ((found.user or "").encode("utf-8", "surrogateescape"), found.db) == (user, db)
    assert (found.password or "").encode("utf-8", "surrogateescape") == password


# -- texts and parts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "text"),
    [
        (Address(), "127.0.0.1:6379"),
        (Address("h", 1, user="u", password="secret"), "h:1"),
        (Address("::1", 1), "[::1]:1"),
        (Address(path="/x", password="secret"), "/x"),
        (Address(sentinels=(("a", 1),), master="m", sentinel_password="secret"), "m"),
    ],
)
def test_the_texts_of_an_address_say_where_and_no_secret(there: Address, text: str) -> None:
    assert (str(there), repr(there), f"{there}") == (text, f"<Address {text}>", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("h", ("h", 6379)), ("h:7", ("h", 7)), (":7", ("127.0.0.1", 7)), ("", ("127.0.0.1", 6379)),
     ("[::1]:7", ("::1", 7)), ("[::1]", ("::1", 6379))],
)  # fmt: skip
def test_a_host_and_its_port(text: str, expected: tuple[str, int]) -> None:
    assert node(text) == expected


@pytest.mark.parametrize("text", ["", "a,", ",", "a b", "a:0", "a,b:x", "redis://a", "[a]"])
def test_hosts_that_are_none(text: str) -> None:
    with pytest.raises(AddressError):
        nodes(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0.0), ("2.5", 2.5), (".5", 0.5), ("5.", 5.0), ("100000000", 1e8), ("100000001", None), ("", None),
     (".", None), ("-1", None), ("1e3", None), ("nan", None), ("1.2.3", None), ("\u0661", None), ("1_0", None)],
)  # fmt: skip
def test_seconds(text: str, expected: float | None) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("host", ["h", "a.b-c", "127.0.0.1", "::1", "fe80::1%eth0", "gr\u00fc\u00df"])
def test_a_host_that_may_be_one(host: str) -> None:
    assert host_fault(host) is None


def test_what_does_not_go_together_names_two_settings_that_there_are() -> None:
    from streamcli.settings import Settings

    pairs: tuple[Any, ...] = (*addresses._CLASHES, *addresses._NEEDED)
    assert {name for pair in pairs for name in pair} <= set(Settings._fields)
