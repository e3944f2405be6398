"""Tools at servers of every kind: clusters, TLS, failovers, and what happens while a connection is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest

from streamcli.backend import Backend
from streamcli.backend.remote import connect
from tests.e2e.program import Program
from tests.remote.cluster import Cluster
from tests.remote.conftest import Servers
from tests.remote.processes import Server
from tests.remote.proxy import Proxy
from tests.remote.sentinels import Sentinels
from tests.tools.desk import Desk, There
from tests.tools.tailing import ids

in_cluster = pytest.mark.xdist_group("cluster")


class Stepping(Desk):
    """A desk where something is done after each entry that is shown; Ctrl-C when there is nothing more to do."""

    def __init__(self, backend: Backend, steps: Iterable[Callable[[], object]]) -> None:
        super().__init__(backend, "jsonl")
        self._steps = iter(steps)

    def show(self, chunks: Iterable[str], *, live: bool) -> None:
        for chunk in chunks:
            self.shown.append(chunk)
            step = next(self._steps, None)
            if step is None:
                raise KeyboardInterrupt
            step()


# -- clusters -------------------------------------------------------------------------------


@in_cluster
@pytest.mark.parametrize("name", ["streams", "groups"])
def test_of_a_cluster_nothing_is_said_but_what_there_is(on_cluster: There, name: str) -> None:
    for key in ("a", "b", "c"):
        on_cluster.call("XADD", key, "1-1", "n", "1")
        on_cluster.call("XGROUP", "CREATE", key, "g", "0")
    desk = Desk(on_cluster.backend(), "json")
    heard: list[str] = []
    desk.job.backend.on_note = heard.append
    assert desk.run(name) == 0
    assert [row["stream"] for row in json.loads(desk.text)] == ["a", "b", "c"]
    assert (heard, desk.said) == ([], [])


@in_cluster
def test_a_member_of_groups_on_several_nodes(cluster: Cluster, on_cluster: There) -> None:
    names = [cluster.key(node).decode() for node in cluster.primaries()]
    for name in names:
        on_cluster.call("XGROUP", "CREATE", name, "g", "0", "MKSTREAM")
        on_cluster.call("XADD", name, "1-1", "n", "1")
    more = [partial(on_cluster.call, "XADD", name, "2-1", "n", "2") for name in names]
    desk = Stepping(on_cluster.backend(), [lambda: None, lambda: None, *more])
    assert desk.run("tail", *names, "--group", "g", "--consumer", "ann", "--ack") == 0
    assert sorted(ids(desk.shown)) == sorted(f"{name} {id}" for name in names for id in ("1-1", "2-1"))
    pending = sum(on_cluster.call("XPENDING", name, "g")[0] for name in names)
    assert pending == 1  # the last one, which was shown to nobody who could say so: Ctrl-C came in the same moment


# -- what becomes of connections ---------------------------------------------------------------


@pytest.mark.xdist_group("sentinels")
def test_a_stream_is_followed_to_the_server_that_takes_over(sentinels: Sentinels) -> None:
    def add(*ids: str) -> None:
        primary = sentinels.primary()
        for id in ids:
            primary.call("XADD", "a", id, "n", id)
        primary.call("WAIT", 1, 5000)

    def fail_over() -> None:
        sentinels.fail_over()
        add("3-1", "4-1")

    add("1-1")
    backend = connect(sentinels.address())
    desk = Stepping(backend, [lambda: add("2-1"), fail_over, lambda: None])
    assert desk.run("tail", "a") == 0
    assert ids(desk.shown) == ["a 1-1", "a 2-1", "a 3-1", "a 4-1"]
    backend.close()


def test_what_is_trimmed_while_the_connection_is_lost_harms_nothing_else(
    server: Server, proxied: Callable[[int | str], Proxy]
) -> None:
    proxy = proxied(server.port)

    def lost_meanwhile() -> None:
        proxy.drop()
        for id in ("3-1", "4-1", "5-1", "6-1"):
            server.call("XADD", "a", id, "n", id)
        server.call("XTRIM", "a", "MINID", "5-1")  # what was shown, and some that was not

    server.call("XADD", "a", "1-1", "n", "1")
    backend = connect(server.address(port=proxy.port))
    add = [lambda: server.call("XADD", "a", "2-1", "n", "2"), lost_meanwhile, lambda: None]
    desk = Stepping(backend, [*add, lambda: server.call("XADD", "a", "7-1", "n", "7")])
    assert desk.run("tail", "a") == 0
    assert ids(desk.shown) == ["a 1-1", "a 2-1", "a 5-1", "a 6-1", "a 7-1"]
    backend.close()


@pytest.mark.parametrize("more", [[], ["--new-ids"]])
def test_a_server_out_of_memory_leaves_no_hole_in_an_import(
    servers: Servers, program: Program, more: list[str]
) -> None:
    sizes = [10, 3000, 200, 40_000, 10, 10, 10]
    lines = [f'{{"id":"{at}-1","fields":[["n","{at}"],["v","{"x" * sizes[at % 7]}"]]}}\n' for at in range(1, 7001)]
    (program.home / "a.jsonl").write_text("".join(lines))
    server = servers.start()
    server.call("CONFIG", "SET", "maxmemory", int(server.info("memory")["used_memory"]) + 20_000_000)
    words = ["-h", "127.0.0.1", "-p", str(server.port), "import", "a.jsonl", "--to", "a", *more]
    got = program.run(*words)
    assert got.code == 1
    assert b" is the last that is done" in got.err
    assert b"XADD: OOM " in got.err
    assert b"added, too" not in got.err
    count = server.call("XLEN", "a")
    assert 0 < count < 7000
    server.call("CONFIG", "SET", "maxmemory", 0)
    got = program.run(*words)
    assert (got.code, got.out.decode()) == (0, f"{7000 - count:,} entries added to a; {count:,} were there already\n")
    assert [int(fields[1]) for _, fields in server.call("XRANGE", "a", "-", "+")] == [*range(1, 7001)]
    server.close()


@pytest.mark.parametrize("forbidden", ["-multi", "-exec", "-@transaction"])
def test_who_may_have_no_transactions_imports_all_the_same(server: Server, tmp_path: Path, forbidden: str) -> None:
    server.call("ACL", "SETUSER", "plain", "reset", "on", "nopass", "~*", "+@all", forbidden)
    (tmp_path / "a.jsonl").write_text("".join(f'{{"id":"{at}-1","fields":[["n","{at}"]]}}\n' for at in range(1, 3001)))
    backend = connect(server.address(user="plain", password="x"))
    desk = Desk(backend)
    assert desk.run("import", str(tmp_path / "a.jsonl"), "--to", "a") == 0
    assert server.call("XLEN", "a") == 3000
    backend.close()
    server.call("ACL", "DELUSER", "plain")


def test_an_import_over_tls(servers: Servers, tmp_path: Path) -> None:
    server = servers.standalone()
    server.empty()
    file = tmp_path / "a.jsonl"
    file.write_text("".join(f'{{"id":"{number}-1","fields":[["n","{number}"]]}}\n' for number in range(1, 5001)))
    backend = connect(server.tls_address())
    desk = Desk(backend)
    assert desk.run("import", str(file), "--to", "a") == 0
    assert desk.text == "5,000 entries added to a\n"
    assert server.call("XLEN", "a") == 5000
    assert server.call("XREVRANGE", "a", "+", "-", "COUNT", 1) == [[b"5000-1", [b"n", b"5000"]]]
    backend.close()
