"""A database of a cluster: Redis has one only, Valkey as many as it is told."""

from __future__ import annotations

import itertools

import pytest

from streamcli.backend import Backend, UnreachableError
from streamcli.backend.remote import connect
from streamcli.reply import OK, QUEUED, Error, Reply
from tests.e2e.program import Program, Result
from tests.remote.cluster import SLOTS, slot
from tests.remote.conftest import Servers
from tests.remote.processes import Port, Server, until

LOW, HIGH = "b", "a"  # keys of slots in the lower and in the upper half
assert slot(LOW.encode()) < SLOTS // 2 <= slot(HIGH.encode())


def node(servers: Servers, kind: str | None = None, **more: str) -> Server:
    port = Port()
    options = {"cluster-enabled": "yes", "cluster-port": str(port.number), "repl-ping-replica-period": "1", **more}
    made = servers.start(kind, options)
    port.release()
    return made


@pytest.fixture
def nodes(servers: Servers) -> list[Server]:
    """Two primaries with 16 databases, and a replica of the first."""
    made = [node(servers, "valkey9", **{"cluster-databases": "16"}) for _ in range(3)]
    made[0].call("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS // 2 - 1)
    made[1].call("CLUSTER", "ADDSLOTSRANGE", SLOTS // 2, SLOTS - 1)
    for number, one in enumerate(made):
        one.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for one, other in itertools.combinations(made, 2):
        one.call("CLUSTER", "MEET", "127.0.0.1", other.port, other.call("CONFIG", "GET", "cluster-port")[1])
    until(lambda: all(_knows(one, 3) for one in made), "the nodes know each other")
    made[2].call("CLUSTER", "REPLICATE", made[0].call("CLUSTER", "MYID"))
    until(lambda: all(_is_ready(one) for one in made), "all slots are served, and the replica is known")
    until(lambda: made[2].info("replication").get("master_link_status") == "up", "it is copied")
    return made


def _knows(one: Server, number: int) -> bool:
    lines = one.call("CLUSTER", "NODES").splitlines()
    return len(lines) == number and not any(b"handshake" in line for line in lines)


def _is_ready(one: Server) -> bool:
    rows = one.call("CLUSTER", "SLOTS")
    return b"cluster_state:ok" in one.call("CLUSTER", "INFO") and sorted(len(row) for row in rows) == [3, 4]


def run(backend: Backend, line: str) -> Reply:
    return backend.execute(line.encode().split())


def there(server: Server, db: int, *words: str | int) -> object:
    """What a server says of one of its databases."""
    with server.client() as client:
        client.call("SELECT", db)
        return client.call(*words)


def test_redis_has_no_other_database_and_that_is_one_line(servers: Servers, program: Program) -> None:
    server = node(servers)
    for words in (["-c"], []):
        said = program.run("-p", str(server.port), *words, "-n", "3", "PING")
        line = f"streamcli: 127.0.0.1:{server.port} has no database 3: ERR SELECT is not allowed in cluster mode\n"
        assert said == Result(b"", line.encode(), 3)
    with pytest.raises(UnreachableError):
        connect(server.address(cluster=True, db=3))
    assert program.run("-p", str(server.port), "-c", "-n", "0", "PING") == Result(b"PONG\n", b"", 0)


@pytest.mark.parametrize("flag", [True, False])
def test_a_database_is_the_same_on_all_nodes(nodes: list[Server], flag: bool) -> None:
    backend = connect(nodes[0].address(cluster=flag, db=3))
    assert backend.db == 3
    for key, owner in ((LOW, nodes[0]), (HIGH, nodes[1])):
        assert run(backend, f"XADD {key} 1-1 f v") == b"1-1"
        assert (there(owner, 3, "XLEN", key), there(owner, 0, "XLEN", key)) == (1, 0)
    assert run(backend, f"EXISTS {LOW} {HIGH}") == 2
    assert run(backend, f"WATCH {HIGH}") == OK
    assert run(backend, "SELECT 4") == OK
    assert (run(backend, "MULTI"), run(backend, f"XADD {HIGH} 4-1 f v")) == (OK, QUEUED)
    assert run(backend, "EXEC") == [b"4-1"]
    assert (backend.db, there(nodes[1], 4, "XLEN", HIGH), there(nodes[1], 3, "XLEN", HIGH)) == (4, 1, 1)
    assert run(backend, f"EXISTS {LOW} {HIGH}") == 1
    assert backend.browse([b"EXISTS", HIGH.encode()]) == 1
    refused = run(backend, "SELECT 16")
    assert isinstance(refused, Error)
    for one in nodes:  # connections that are made again are to the same database
        one.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert (run(backend, f"EXISTS {LOW} {HIGH}"), backend.db) == (1, 4)
    backend.close()


def test_a_database_that_is_selected_in_a_transaction_is_that_of_all_nodes(nodes: list[Server]) -> None:
    backend = connect(nodes[0].address(cluster=True))
    assert (run(backend, "MULTI"), run(backend, f"XLEN {HIGH}"), run(backend, "SELECT 5")) == (OK, QUEUED, QUEUED)
    assert (run(backend, "EXEC"), backend.db) == ([0, OK], 5)
    assert run(backend, f"XADD {LOW} 1-1 f v") == b"1-1"
    assert there(nodes[0], 5, "XLEN", LOW) == 1
    backend.close()


def test_a_replica_is_read_in_the_same_database(nodes: list[Server]) -> None:
    backend = connect(nodes[0].address(cluster=True, db=3, replica=True))
    notes: list[str] = []
    backend.on_note = notes.append
    assert run(backend, f"XADD {LOW} 1-1 f v") == b"1-1"
    until(lambda: _copied(nodes[2]), "it is copied")
    before = _calls(nodes[2], "xlen")
    assert run(backend, f"XLEN {LOW}") == 1
    assert (_calls(nodes[2], "xlen"), notes) == (before + 1, [])
    assert run(backend, "SELECT 0") == OK
    assert run(backend, f"XLEN {LOW}") == 0
    backend.close()


def _copied(replica: Server) -> bool:
    return replica.info("keyspace").get("db3", "").startswith("keys=1")


def _calls(server: Server, command: str) -> int:
    told = server.info("commandstats").get(f"cmdstat_{command}", "calls=0")
    return int(told.partition("calls=")[2].partition(",")[0])
