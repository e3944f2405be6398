"""What can go wrong on the way to a server: each time one clear line, the right exit code, and no secret in it."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.program import Program, Result, Word
from tests.remote.conftest import Servers
from tests.remote.fake import CLOSE, SILENCE, Endless, Fake, Last
from tests.remote.processes import ALICE, PASSWORD, Port, Server

WRONG = "wrong-horse-99"  # no password
LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"
WRONGPASS = "WRONGPASS invalid username-password pair or user is disabled."
AT = "127.0.0.1:PORT"
FULL = "OOM command not allowed when used memory > 'maxmemory'."

Fakes = Callable[..., Fake]


def failed(program: Program, code: int, *words: Word, **environment: str) -> str:
    """The one line that streamcli says; ports are written as PORT."""
    said = program.run(*words, env=environment)
    for secret in (WRONG, PASSWORD, ALICE):
        assert secret.encode() not in said.out + said.err
    assert said == Result(b"", said.err, code)
    line = said.err.decode()
    assert re.fullmatch(r"[ -~]+\n", line)
    return re.sub(r"(127\.0\.0\.1[: ])\d+", r"\1PORT", line.rstrip("\n"))


# -- nobody there ------------------------------------------------------------------------------


def test_a_closed_port(program: Program) -> None:
    port = Port()
    line = failed(program, 3, "-p", str(port.number), "PING")
    port.release()
    assert line == f"streamcli: nothing listens at {AT} (connection refused)"


def test_an_unknown_host(program: Program) -> None:
    line = failed(program, 3, "-h", "nowhere.invalid", "PING")
    # where there is nobody to ask for names, that is said
    assert line.startswith(
        ("streamcli: there is no host nowhere.invalid", "streamcli: the host nowhere.invalid cannot")
    )


@pytest.mark.parametrize("url", ["redis://a b:1", "redis://h:99999", "http://127.0.0.1", f"redis://:{WRONG}@h:port"])
def test_a_url_that_is_none(program: Program, url: str) -> None:
    line = failed(program, 2, "-u", url, "PING")
    assert line.startswith("streamcli: the URL cannot be used: ")
    assert line.endswith(" (see streamcli --help)")


def test_no_socket_and_a_file_that_is_none(program: Program, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert failed(program, 3, "-s", "absent", "PING") == "streamcli: there is no socket absent"
    assert failed(program, 3, "-s", "file", "PING") == "streamcli: file is no socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left"))
    assert failed(program, 3, "-s", "left", "PING") == "streamcli: nothing listens at left (connection refused)"


def test_nobody_answers(program: Program, fake: Fakes) -> None:
    silent = fake(otherwise=SILENCE)
    line = failed(program, 3, "-p", str(silent.port), "--connect-timeout", "0.2", "PING")
    assert line == f"streamcli: {AT} does not answer within 0.2 s"


# -- not let in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["-2", "-3"])
def test_a_wrong_password(program: Program, servers: Servers, protocol: str) -> None:
    refused = f"streamcli: {AT} does not let {{}} in with this password: " + WRONGPASS
    words = (protocol, "-p", str(servers.guarded().port))
    default = refused.format("the default user")
    assert failed(program, 3, *words, "-a", WRONG, "PING") == default
    assert failed(program, 3, *words, "PING", REDISCLI_AUTH=WRONG) == default
    assert failed(program, 3, *words, "--user", "nobody", "-a", WRONG, "PING") == refused.format("user nobody")


def test_a_password_where_none_is_wanted_does_no_harm(program: Program, server: Server) -> None:
    assert program.run("-p", str(server.port), "-a", WRONG, "PING") == Result(b"PONG\n", b"", 0)


def test_no_password(program: Program, servers: Servers) -> None:
    port = str(servers.guarded().port)
    assert failed(program, 1, "-p", port, "XLEN", "a") == "NOAUTH Authentication required."
    assert failed(program, 1, "-p", port, "-n", "3", "XLEN", "a") == "NOAUTH Authentication required."


def test_no_permission(program: Program, servers: Servers) -> None:
    words = ("-p", str(servers.guarded().port), "--user", "alice", "-a", ALICE)
    assert failed(program, 1, *words, "XLEN", "b").startswith("NOPERM ")


def test_no_such_database(program: Program, server: Server) -> None:
    assert failed(program, 3, "-p", str(server.port), "-n", "99", "PING") == (
        f"streamcli: {AT} has no database 99: ERR DB index is out of range"
    )


def test_no_room_for_another_client(program: Program, servers: Servers) -> None:
    server = servers.start(None, {"maxclients": "1"})
    with server.client():
        line = failed(program, 3, "-p", str(server.port), "PING")
    assert line == f"streamcli: {AT} does not let us in: ERR max number of clients reached"


def test_a_server_that_refuses_whoever_comes(program: Program, fake: Fakes) -> None:
    denies = fake(otherwise=Last(b"-DENIED Redis is running in protected mode\r\n"))
    assert failed(program, 3, "-p", str(denies.port), "PING") == (
        f"streamcli: {AT} does not let us in: DENIED Redis is running in protected mode"
    )


# -- TLS --------------------------------------------------------------------------------------------


def test_tls_to_a_plain_port(program: Program, server: Server) -> None:
    """It waits for the end of a line, or if there happens to be one among TLS's first bytes, complains of it."""
    lines = (
        f"streamcli: {AT} does not answer within 0.3 s; is it a port without TLS?",
        f"streamcli: {AT} does not speak TLS; leave out --tls, or write redis:// for rediss://",
    )
    assert failed(program, 3, "-p", str(server.port), "--tls", "--connect-timeout", "0.3", "PING") in lines
    url = f"rediss://127.0.0.1:{server.port}"
    assert failed(program, 3, "-u", url, "--connect-timeout", "0.3", "PING") in lines


def test_a_plain_connection_to_a_tls_port(program: Program, servers: Servers) -> None:
    assert failed(program, 3, "-p", str(servers.tls().tls_port), "PING") == (
        f"streamcli: {AT} closed the connection before it answered; is it a port with TLS (--tls)?"
    )


UNUSABLE = "streamcli: the certificate {0} and the key {0} cannot be used: no PEM, no pair, or the key is encrypted"
OF = f"streamcli: the certificate of {AT}"
CACERT = "(--cacert FILE names who vouches for it)"
SNI = "(--sni NAME says which one is meant)"
CERTIFICATES = {
    "server": f"{OF} is not trusted: self-signed certificate in certificate chain {CACERT}",
    "expired": f"{OF} is not trusted: certificate has expired {CACERT}",
    "elsewhere": f"{OF} is for another name: IP address mismatch, certificate is not valid for '127.0.0.1' {SNI}",
    "stranger": f"{OF} is not trusted: self-signed certificate {CACERT}",
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_bad_certificate(program: Program, servers: Servers, name: str) -> None:
    server = servers.tls(certificate=name)
    trust = () if name == "server" else ("--cacert", servers.certificates.ca)
    assert failed(program, 3, "-p", str(server.tls_port), "--tls", *trust, "PING") == CERTIFICATES[name]


def test_a_server_that_wants_a_certificate_of_ours(program: Program, servers: Servers) -> None:
    words = ("-p", str(servers.tls(clients="yes").tls_port), "--tls", "--cacert", servers.certificates.ca)
    assert failed(program, 3, *words, "PING") == (
        f"streamcli: {AT} closed the connection before it answered; does it want a certificate of ours (--cert, --key)?"
    )


def test_certificates_that_cannot_be_read(program: Program, servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("nothing\n")
    words = ("-p", str(servers.tls().tls_port), "--tls")
    assert failed(program, 3, *words, "--cacert", "absent.pem", "PING") == (
        "streamcli: the authority's certificate absent.pem cannot be read: no such file or directory"
    )
    assert failed(program, 3, *words, "--cacert", "none.pem", "PING") == (
        "streamcli: the authority's certificate none.pem is none"
    )
    assert failed(program, 3, *words, "--cert", "none.pem", "--key", "none.pem", "PING") == UNUSABLE.format("none.pem")


def test_a_key_with_a_password_is_not_asked_for_it(program: Program, servers: Servers, tmp_path: Path) -> None:
    made = servers.certificates
    subprocess.run(
        ["openssl", "ec", "-in", made.key("client"), "-aes128", "-passout", "pass:x", "-out", tmp_path / "secret.key"],
        check=True,
        capture_output=True,
    )
    words = ("-p", str(servers.tls(clients="yes").tls_port), "--tls", "--cacert", made.ca)
    certificate = ("--cert", made.certificate("client"), "--key", "secret.key")
    said = program.run(*words, *certificate, "PING")
    assert said.err.endswith(b"the key secret.key cannot be used: no PEM, no pair, or the key is encrypted\n")
    assert (said.out, said.code) == (b"", 3)


# -- nonsense -----------------------------------------------------------------------------------------


NO_REDIS = f"streamcli: {AT} does not speak the Redis protocol"
CLOSED = f"streamcli: {AT} closed the connection before it answered; is it a port with TLS (--tls)?"
GREETINGS = {
    "web": (b"HTTP/1.1 400 Bad Request\r\n\r\n", f"{NO_REDIS} (not a reply: b'HTTP/1.1 400 Bad Request')"),
    "bytes": (b"\x00\xff\x1b[31m\r\n", f"{NO_REDIS} (not a reply: b'\\x00\\xff\\x1b[31m')"),
    "array": (b"*1\r\n:1\r\n", ""),
    "never ends": (Endless(b"x" * 4096), f"{NO_REDIS} (not a reply: b'{'x' * 40}')"),
    "deep": (Endless(b"*1\r\n"), f"{NO_REDIS} (nested too deeply)"),
    "closes": (CLOSE, CLOSED),
    "half": (Last(b"%7\r\n$6\r\nser"), CLOSED),
}


@pytest.mark.parametrize("name", GREETINGS)
def test_a_greeting_that_is_nonsense(program: Program, fake: Fakes, name: str) -> None:
    answer, line = GREETINGS[name]
    false = fake({"HELLO": answer})
    words = ("-p", str(false.port), "PING")
    if line:
        assert failed(program, 3, *words) == line
    else:
        assert program.run(*words) == Result(b"PONG\n", b"", 0)


def test_another_protocol_speaks_first(program: Program, fake: Fakes) -> None:
    assert failed(program, 3, "-p", str(fake(banner=b"SSH-2.0-OpenSSH_9.2\r\n").port), "PING") == (
        f"{NO_REDIS} (not a reply: b'SSH-2.0-OpenSSH_9.2')"
    )


NO_REPLY = f"{AT} sent something that is no reply"
LOST = f"the connection to {AT} was lost (closed by the server)"
READ = "the command only reads and may be sent again"
WROTE = "after the command was sent; it may have been applied"
REPLIES = {
    "garbage": (b"?!\r\n", f"{NO_REPLY} (not a reply: b'?!')"),
    "a huge length": (b"$99999999999999\r\n", f"{NO_REPLY} (not a length: b'99999999999999')"),
    "mid-reply": (Last(b"*2\r\n*2\r\n$3\r\n1-1"), LOST),
    "none": (CLOSE, LOST),
    "never ends": (Endless(b"*1\r\n"), f"{NO_REPLY} (nested too deeply)"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_that_is_none(program: Program, fake: Fakes, name: str) -> None:
    answer, line = REPLIES[name]
    words = ("-p", str(fake({"XRANGE": answer, "XADD": answer}).port))
    assert failed(program, 3, *words, "XRANGE", "a", "-", "+") == f"{line}; {READ}"
    assert failed(program, 3, *words, "XADD", "a", "*", "f", "v") == f"{line} {WROTE}"


def test_a_server_that_falls_silent(program: Program, fake: Fakes) -> None:
    words = ("-p", str(fake({"XLEN": SILENCE, "XADD": b"$3"}).port), "--timeout", "0.2")
    line = f"no reply from {AT} within 0.2 s"
    assert failed(program, 3, *words, "XLEN", "a") == f"{line}; {READ}"
    assert failed(program, 3, *words, "XADD", "a", "*", "f", "v") == f"{line} {WROTE}"


def test_a_long_reply_that_stops_is_shown_as_far_as_it_came(program: Program, fake: Fakes) -> None:
    entry = b"*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
    false = fake({"XRANGE": Last(b"*5000\r\n" + entry * 2000)})
    said = program.run("-p", str(false.port), "XRANGE", "a", "-", "+")
    assert said.code == 3
    assert said.err.decode() == f"{LOST}\n".replace("PORT", str(false.port))
    shown = said.out.count(b"1-1\nf\nv\n")
    assert shown >= 1990
    assert said.out == b"1-1\nf\nv\n" * shown


def test_an_error_never_reaches_the_terminal_raw(program: Program, fake: Fakes) -> None:
    false = fake({"PING": b"-ERR \x1b]0;gotcha\x07\x9b31m\r\n"})
    assert failed(program, 1, "-p", str(false.port), "PING") == r"ERR \x1b]0;gotcha\a\x9b31m"


# -- errors of a server --------------------------------------------------------------------------------


def test_a_server_that_is_loading(program: Program, fake: Fakes) -> None:
    line = "LOADING Redis is loading the dataset in memory"
    assert failed(program, 1, "-p", str(fake(otherwise=LOADING).port), "XLEN", "a") == line
    assert failed(program, 1, "-p", str(fake({"XLEN": LOADING}).port), "XLEN", "a") == line


def test_a_replica_takes_no_writes(program: Program, servers: Servers, server: Server) -> None:
    replica = servers.start(None, {"replicaof": f"127.0.0.1 {server.port}"})
    line = failed(program, 1, "-p", str(replica.port), "XADD", "a", "*", "f", "v")
    assert line == "READONLY You can't write against a read only replica."


def test_a_cluster_that_is_down(program: Program, servers: Servers) -> None:
    node = servers.start(None, {"cluster-enabled": "yes", "cluster-port": str(Port().number)})
    for words in ((), ("-c",)):
        line = failed(program, 1, "-p", str(node.port), *words, "XADD", "a", "*", "f", "v")
        assert line == "CLUSTERDOWN Hash slot not served"


def test_a_server_without_memory(program: Program, servers: Servers) -> None:
    full = servers.start(None, {"maxmemory": "1", "maxmemory-policy": "noeviction"})
    assert failed(program, 1, "-p", str(full.port), "XADD", "a", "*", "f", "v") == FULL


def test_an_old_server_is_spoken_to_in_resp2(program: Program, fake: Fakes) -> None:
    old = fake(resp3=False)
    assert program.run("-3", "-p", str(old.port), "-a", WRONG, "PING") == Result(b"PONG\n", b"", 0)
    assert old.names()[-1] == "PING"


# -- between lines -------------------------------------------------------------------------------------


def test_what_is_lost_ends_the_run(program: Program, fake: Fakes) -> None:
    false = fake({"XADD": CLOSE})
    said = program.run("-p", str(false.port), "-e", "PING", "-e", "XADD a * f v", "-e", "ECHO not-reached")
    line = f"{LOST} {WROTE}\n".replace("PORT", str(false.port))
    assert said == Result(b"PONG\n", line.encode(), 3)
    assert "ECHO" not in false.names()


def test_lines_of_a_pipe_stop_where_the_connection_was_lost(program: Program, fake: Fakes) -> None:
    false = fake({"XADD": CLOSE})
    said = program.run("-p", str(false.port), stdin=b"PING\nXADD a * f v\n")
    line = f"line 2: {LOST} {WROTE}\n".replace("PORT", str(false.port))
    assert said == Result(b"PONG\n", line.encode(), 3)
