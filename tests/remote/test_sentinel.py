"""Through Sentinel: the primary is found anew for each connection, during a failover, too; and replicas are read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from streamcli.backend import Backend, LostError, UnreachableError
from streamcli.backend.address import Address
from streamcli.backend.remote import connect
from streamcli.reply import OK, QUEUED, Error, Map
from tests.remote.conftest import Servers
from tests.remote.processes import PASSWORD, Port, Server, until
from tests.remote.sentinels import Sentinels

of_the_trio = pytest.mark.xdist_group("sentinels")


class User:
    """A session, with what it was told."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.notes: list[str] = []
        backend.on_note = self.notes.append

    def __call__(self, line: str) -> Any:
        return self.backend.execute(line.encode().split())


@pytest.fixture
def user(sentinels: Sentinels) -> Iterator[User]:
    made = User(connect(sentinels.address()))
    yield made
    made.backend.close()


@of_the_trio
def test_the_primary_is_found_and_the_prompt_says_its_name(sentinels: Sentinels, user: User) -> None:
    assert user.backend.target == "mymaster"
    assert user("XADD a 1-1 f v") == b"1-1"
    assert sentinels.primary().call("XLEN", "a") == 1
    assert user.backend.browse([b"XLEN", b"a"]) == 1


@of_the_trio
def test_after_a_failover_the_next_command_reaches_the_new_primary(sentinels: Sentinels, user: User) -> None:
    assert user("XADD a 1-1 f v") == b"1-1"
    new = sentinels.fail_over()
    assert user("XADD a 2-1 f v") == b"2-1"
    assert new.call("XLEN", "a") == 2
    assert user.notes == ["the connection to mymaster had been lost; there is a new one"]
    assert user.backend.browse([b"XLEN", b"a"]) == 2


@of_the_trio
def test_a_failover_that_goes_on_is_waited_for(sentinels: Sentinels) -> None:
    user = User(connect(sentinels.address(connect_timeout=40.0)))
    assert user("XADD a 1-1 f v") == b"1-1"
    until(lambda: sentinels.replica().call("XLEN", "a") == 1, "it is copied")
    dead = sentinels.kill_primary(wait=False)
    assert user("XADD a 2-1 f v") == b"2-1"
    until(lambda: sentinels.primary() is not dead, "the others have heard of it from the one who led it")
    assert sentinels.primary().call("XLEN", "a") == 2
    user.backend.close()


@of_the_trio
def test_waiting_for_a_failover_can_be_interrupted(sentinels: Sentinels, user: User) -> None:
    sentinels.kill_primary(wait=False)
    for watcher in sentinels.watchers:
        watcher.pause()
    try:
        user.backend.on_wait = lambda waiting: user.backend.stop(writes=False)
        with pytest.raises(KeyboardInterrupt):
            user("XLEN a")
    finally:
        for watcher in sentinels.watchers:
            watcher.resume()


@of_the_trio
def test_a_primary_that_was_made_a_replica_gets_no_more_writes(sentinels: Sentinels, user: User) -> None:
    """The Sentinels have not heard of it, so that its connections stay."""
    assert user("XADD a 1-1 f v") == b"1-1"
    primary = sentinels.primary()
    primary.call("CONFIG", "SET", "min-replicas-to-write", "0")
    for watcher in sentinels.watchers:
        watcher.pause()
    try:
        primary.call("REPLICAOF", "127.0.0.1", sentinels.data[1 - sentinels.data.index(primary)].port)
        reply = user("XADD a 2-1 f v")
    finally:
        sentinels.data[1 - sentinels.data.index(primary)].call("REPLICAOF", "NO", "ONE")
        for watcher in sentinels.watchers:
            watcher.resume()
    assert isinstance(reply, Error)
    assert reply.code == "READONLY"
    at = f"127.0.0.1:{primary.port}"
    assert user.notes == [f"{at} is no longer the primary; the next command goes to the one that is"]
    until(sentinels.is_whole, "the Sentinels are of one mind")
    assert user("XADD a 3-1 f v") == b"3-1"
    assert sentinels.primary().call("XLEN", "a") == 2


@of_the_trio
def test_a_transaction_does_not_outlive_its_primary(sentinels: Sentinels, user: User) -> None:
    assert user("MULTI") == OK
    assert user("XADD a 1-1 f v") == QUEUED
    sentinels.fail_over()
    with pytest.raises(LostError) as lost:
        user("EXEC")
    expected = "the connection to mymaster had been lost: the transaction with its 1 command is gone; this was not sent"
    assert str(lost.value) == expected
    assert user.backend.queued is None
    assert user("XLEN a") == 0


@of_the_trio
def test_a_sentinel_that_is_down_does_not_matter(sentinels: Sentinels) -> None:
    with_one_dead = ((("127.0.0.1"), _free_port()), *sentinels.address().sentinels)
    for _ in range(2):
        backend = connect(sentinels.address(sentinels=with_one_dead))
        assert backend.execute([b"XLEN", b"a"]) == 0
        backend.close()


@of_the_trio
def test_a_name_that_the_sentinels_do_not_know(sentinels: Sentinels) -> None:
    with pytest.raises(UnreachableError) as error:
        connect(sentinels.address(master="other"))
    assert str(error.value) == "the sentinels know no master other; they watch mymaster"


def test_no_sentinel_that_answers() -> None:
    one, two = _free_port(), _free_port()
    with pytest.raises(UnreachableError) as error:
        connect(Address(sentinels=(("127.0.0.1", one), ("127.0.0.1", two)), master="mymaster"))
    assert str(error.value) == (
        f"no sentinel can be asked: nothing listens at 127.0.0.1:{one} (connection refused); "
        f"nothing listens at 127.0.0.1:{two} (connection refused)"
    )


def test_sentinels_have_a_password_of_their_own(servers: Servers) -> None:
    watcher = servers.start(None, sentinel=True, guard=PASSWORD)
    here = (("127.0.0.1", watcher.port),)
    said = {}
    for password in (PASSWORD, "wrong", None):
        with pytest.raises(UnreachableError) as error:
            connect(Address(sentinels=here, master="mymaster", sentinel_password=password, password="of-the-primary"))
        said[password] = str(error.value)
    refused = f"no sentinel can be asked: 127.0.0.1:{watcher.port} refuses: "
    assert said == {
        PASSWORD: "the sentinels know no master mymaster",
        "wrong": f"{refused}invalid username-password pair or user is disabled",
        None: f"{refused}Authentication required",
    }


def test_a_server_is_no_sentinel(server: Server) -> None:
    with pytest.raises(UnreachableError) as error:
        connect(server.address(sentinels=(("127.0.0.1", server.port),), master="mymaster"))
    text = str(error.value)
    assert text.startswith(f"no sentinel can be asked: 127.0.0.1:{server.port} refuses: unknown command 'SENTINEL'")


@of_the_trio
def test_no_primary_that_is_up(sentinels: Sentinels) -> None:
    for server in sentinels.data:
        server.kill()
    with pytest.raises(UnreachableError) as error:
        connect(sentinels.address(connect_timeout=2.0))
    assert str(error.value) in (
        "the sentinels have no primary for mymaster that is up; is a failover going on?",
        *[f"nothing listens at 127.0.0.1:{server.port} (connection refused)" for server in sentinels.data],
    )


# -- replicas ---------------------------------------------------------------------------------------------


@of_the_trio
def test_reading_from_a_replica_through_sentinel(sentinels: Sentinels) -> None:
    user = User(connect(sentinels.address(replica=True)))
    assert user("XADD a 1-1 f v") == b"1-1"
    replica = sentinels.replica()
    until(lambda: replica.call("XLEN", "a") == 1, "it is copied")
    before = _calls(replica, "xrange")
    assert user("XRANGE a - +") == [[b"1-1", [b"f", b"v"]]]
    assert _calls(replica, "xrange") == before + 1
    assert user("ZCARD z") == 0
    assert (_calls(replica, "zcard"), _calls(sentinels.primary(), "zcard")) == (1, 0)
    assert user.notes == []
    sentinels.fail_over()
    assert user("XADD a 2-1 f v") == b"2-1"
    new = sentinels.replica()
    until(lambda: new.call("XLEN", "a") == 2, "it is copied")
    before = _calls(new, "xrange")
    assert len(user("XRANGE a - +")) == 2
    assert _calls(new, "xrange") == before + 1
    user.backend.close()


@of_the_trio
def test_reading_from_a_replica_of_a_plain_address(sentinels: Sentinels) -> None:
    primary, replica = sentinels.primary(), sentinels.replica()
    user = User(connect(primary.address(replica=True)))
    assert user("XADD a 1-1 f v") == b"1-1"
    until(lambda: replica.call("XLEN", "a") == 1, "it is copied")
    before = _calls(primary, "xlen")
    assert user("XLEN a") == 1
    assert _calls(primary, "xlen") == before
    assert user("MULTI") == OK
    assert user("XLEN a") == QUEUED
    assert user("EXEC") == [1]
    assert _calls(primary, "xlen") == before + 1
    assert user("SELECT 1") == OK
    assert user("XLEN a") == 0
    assert user("SELECT 0") == OK

    def write() -> None:
        until(lambda: replica.info("clients")["blocked_clients"] == "1", "somebody waits")
        primary.call("XADD", "a", "2-1", "f", "v")

    writer = threading.Thread(target=write)
    writer.start()
    assert user("XREAD BLOCK 0 STREAMS a $") == Map([(b"a", [[b"2-1", [b"f", b"v"]]])])
    writer.join()
    replica.kill()
    assert user("XLEN a") == 2
    at = f"127.0.0.1:{replica.port}"
    said = f"nothing listens at {at} (connection refused); the primary is read"
    assert [note for note in user.notes if "primary" in note][:1] == [said]
    user.backend.close()


def test_without_a_replica_the_primary_is_read(servers: Servers) -> None:
    server = servers.start()
    user = User(connect(server.address(replica=True)))
    assert user("XADD a 1-1 f v") == b"1-1"
    assert user("XLEN a") == 1
    assert user("XLEN a") == 1
    assert user.notes == ["there is no replica to read from; the primary is read"]
    assert user.backend.target == f"127.0.0.1:{server.port}"
    user.backend.close()


def _calls(server: Server, command: str) -> int:
    told = server.info("commandstats").get(f"cmdstat_{command}", "calls=0")
    return int(told.partition("calls=")[2].partition(",")[0])


def _free_port() -> int:
    """One at which nobody listens."""
    port = Port()
    port.release()
    return port.number
