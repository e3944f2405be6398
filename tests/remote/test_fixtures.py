"""What the other tests stand on: the servers are what they say they are, and break as they are told."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import pytest

from tests.remote.client import Client, RefusedError
from tests.remote.cluster import Cluster, slot
from tests.remote.conftest import Servers
from tests.remote.fake import Endless, Fake, Last
from tests.remote.processes import ALICE, PASSWORD, Server, until
from tests.remote.proxy import Proxy
from tests.remote.sentinels import Sentinels


def test_each_kind_answers_over_tcp_a_unix_socket_and_tls(standalone: Server, servers: Servers) -> None:
    trusting = ssl.create_default_context(cafile=str(servers.certificates.ca))
    for client in (
        Client(standalone.port), Client(path=standalone.path), Client(standalone.tls_port, tls=trusting),
    ):  # fmt: skip
        with client:
            assert client.call("PING") == b"PONG"
    number = {"redis8": "8.", "valkey9": "9."}.get(standalone.kind, "")
    assert standalone.version.startswith(number)


def test_users_may_do_what_they_may(servers: Servers) -> None:
    server = servers.guarded()
    with Client(server.port, user="alice", password=ALICE) as alice:
        assert alice.call("XADD", "a", "1-1", "f", "v") == b"1-1"
        with pytest.raises(RefusedError, match="NOPERM"):
            alice.call("XADD", "b", "1-1", "f", "v")
    with Client(server.port) as nobody, pytest.raises(RefusedError, match="NOAUTH"):
        nobody.call("PING")
    assert (server.guard, server.call("XLEN", "a")) == (PASSWORD, 1)


@pytest.mark.parametrize(
    ("name", "fault"), [("expired", "expired"), ("elsewhere", "IP address mismatch"), ("stranger", "self.signed")]
)
def test_bad_certificates_are_bad(servers: Servers, name: str, fault: str) -> None:
    trusting = ssl.create_default_context(cafile=str(servers.certificates.ca))
    with pytest.raises(RefusedError, match=fault):
        Client(servers.tls(certificate=name).tls_port, tls=trusting)


def test_a_server_can_ask_for_a_certificate(servers: Servers) -> None:
    trusting = ssl.create_default_context(cafile=str(servers.certificates.ca))
    server = servers.tls(clients="yes")
    with pytest.raises(RefusedError), Client(server.tls_port, tls=trusting) as nobody:
        nobody.call("PING")
    trusting.load_cert_chain(servers.certificates.certificate("client"), servers.certificates.key("client"))
    with Client(server.tls_port, tls=trusting) as known:
        assert known.call("PING") == b"PONG"


def test_a_killed_server_comes_back_at_the_same_place(servers: Servers) -> None:
    server = servers.start()
    port = server.port
    server.kill()
    with pytest.raises(RefusedError, match="refused"):
        Client(port)
    server.start()
    assert (server.port, server.call("PING")) == (port, b"PONG")


@pytest.mark.xdist_group("sentinels")
def test_sentinels_name_another_primary_when_it_has_died(sentinels: Sentinels) -> None:
    before = sentinels.primary()
    before.call("XADD", "a", "1-1", "f", "v")
    before.call("WAIT", 1, 2000)
    after = sentinels.kill_primary()
    assert (after is not before, after.call("XLEN", "a")) == (True, 1)
    sentinels.heal()
    assert sentinels.replica() is before


@pytest.mark.xdist_group("cluster")
def test_a_slot_moves_step_by_step(cluster: Cluster) -> None:
    one, other, _ = cluster.primaries()
    key = cluster.key(one)
    one.call("XADD", key, "1-1", "f", "v")
    moving = cluster.moving(slot(key), other)
    moving.begin()
    assert one.call("XLEN", key) == 1
    assert moving.carry() == [key]
    with pytest.raises(RefusedError, match=f"^ASK {slot(key)} 127.0.0.1:{other.port}$"):
        one.call("XLEN", key)
    moving.finish()
    with pytest.raises(RefusedError, match=f"^MOVED {slot(key)} 127.0.0.1:{other.port}$"):
        one.call("XLEN", key)
    assert (cluster.owner(key), other.call("XLEN", key)) == (other, 1)


@pytest.mark.xdist_group("cluster")
def test_a_replica_takes_over_when_its_primary_has_died(cluster: Cluster) -> None:
    dead = cluster.primaries()[0]
    key = cluster.key(dead)
    (replica,) = cluster.replicas(dead)
    cluster.kill(dead)
    assert cluster.owner(key) is replica
    cluster.heal()
    assert cluster.replicas(replica) == [dead]


def test_a_proxy_cuts_at_the_byte(server: Server, proxied: Callable[[int | str], Proxy]) -> None:
    proxy = proxied(server.port)
    with socket.create_connection(("127.0.0.1", proxy.port)) as client:
        client.sendall(b"PING\r\n")
        assert client.recv(100) == b"+PONG\r\n"
        proxy.cut(3, down=True)
        client.sendall(b"PING\r\n")
        assert client.makefile("rb").read() == b"+PO"
    assert proxy.was_cut.is_set()
    with Client(proxy.port) as client:
        proxy.cut(5, down=False)
        with pytest.raises(RefusedError):
            client.call("SET", "a", "b")
    assert (proxy.connections, proxy.down, proxy.up, server.call("GET", "a")) == (2, 10, 17, None)


def test_a_proxy_stalls_and_refuses(server: Server, proxied: Callable[[int | str], Proxy]) -> None:
    proxy = proxied(server.path)
    proxy.stall(2, down=True)
    with socket.create_connection(("127.0.0.1", proxy.port)) as client:
        client.sendall(b"PING\r\n")
        assert client.recv(100) == b"+P"
        proxy.release()
        assert client.recv(100) == b"ONG\r\n"
        proxy.garble(b"!?")
        client.sendall(b"PING\r\n")
        assert client.recv(100) == b"!?"
        proxy.refuse()
        assert client.recv(100) == b""
    with pytest.raises(RefusedError, match="refused"):
        Client(proxy.port)
    proxy.admit()
    with Client(proxy.port) as again:
        assert again.call("PING") == b"PONG"


def test_a_false_server_says_what_it_is_told(fake: Callable[..., Fake]) -> None:
    false = fake({"XADD": b"-OOM full\r\n", "XLEN": [b":1\r\n", b":2\r\n"], "QUIT": Last(b"+O")})
    with Client(false.port) as client:
        with pytest.raises(RefusedError, match=r"^OOM full$"):
            client.call("xadd", "a", "*")
        assert [client.call("XLEN", "a") for _ in range(3)] == [1, 2, 2]
        assert client.call("ECHO", "x") == b"x"
        with pytest.raises(RefusedError, match="ends early"):
            client.call("QUIT")
    assert false.names() == ["XADD", "XLEN", "XLEN", "XLEN", "ECHO", "QUIT"]
    old = fake(resp3=False)
    with Client(old.port) as client, pytest.raises(RefusedError, match="unknown command"):
        client.call("HELLO", 3)
    never = fake({"KEYS": Endless(b"*1\r\n")})
    with socket.create_connection(("127.0.0.1", never.port)) as raw:
        raw.sendall(b"*1\r\n$4\r\nKEYS\r\n")
        assert raw.recv(4) == b"*1\r\n"
    until(lambda: never.names() == ["KEYS"], "the false server has heard")
