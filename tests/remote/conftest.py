"""Real servers and false ones, for every test below. Ask for a fixture; everything is closed for you.

**Fixtures**

`servers` (session) starts things when they are first asked for, and keeps them until the session ends. The kind is one
of redis7, redis8 and valkey9, or left out: the newest Redis there is.

    servers.standalone(kind)        a Server: TCP, unix socket and TLS at once, with user alice; any test may flush it
    servers.guarded(kind)           the same without TLS, but the default user has a password: server.guard
    servers.tls(kind, certificate="expired", clients="yes")     shows another certificate, asks clients for theirs
    servers.start(kind, {"maxmemory": "1mb"})                   one more, with settings of your own
    servers.sentinels(kind), servers.cluster(kind)              five and six processes; see the fixtures of that name
    servers.certificates                                        a Certificates

`standalone` (test): one of a kind each: a test that takes it runs on redis7, redis8 and valkey9 (a `Server`, emptied).
`server` (test): the newest Redis there is (a `Server`, emptied), for tests for which one kind is enough.
`sentinels` (test): `Sentinels`, whole and emptied before the test. `cluster` (test): `Cluster`, the same.
   Mark what takes them with `pytest.mark.xdist_group("sentinels")` or `("cluster")`: one worker then starts them.
`proxied` (test): `proxied(server.port)` or `proxied(server.path)` gives a `Proxy` to that server.
`fake` (test): `fake({"XADD": b"-OOM ...\\r\\n"})` gives a `Fake`; arguments as for `Fake`.

A test for whose server there is no program is skipped, always with the sentence of `missing`; `.ci/run` sees to it
that there is one.

**What they give** (see each class)

`Server`: `.port .tls_port .path .guard .kind .version .pid`; for `connect`: `.address(**parts) .socket_address(**parts)
   .tls_address(client=False, verify=True, **parts)`; what is truly there: `.call("XLEN", "a")` and `.client()`;
   `.empty() .info("replication") .said()` (its log); `.kill() .start() .pause() .resume()`.
   The users: `default` (password `server.guard`), and `alice` with `ALICE`, who may use streams named `a...` alone.
`Sentinels`: `.address() .primary() .replica() .watchers .data .heal()`;
   `.fail_over()` (in good order), `.kill_primary(wait=True)`.
`Cluster`: `.address(node) .nodes .primaries() .replicas(node) .owner(key or slot)`; `.key(node, b"name")`: a key that
   lives there; `.move_slot(slot, to)`, or in steps `m = .moving(slot, to); m.begin(); m.carry(count); m.finish()`;
   `.kill(node, wait=True) .fail_over(primary) .heal()`; `cluster.slot(key)` is a function of the module.
`Proxy`: `.port`; `.cut(after, down=True)` at that byte, `.was_cut`, `.stall(after, down=...)`, `.delay(seconds)`,
   `.garble(bytes)`, `.release()`; `.drop() .refuse() .admit()`; what it has seen: `.up .down .sent .connections`.
`Fake`: `.port .commands .names()`; an answer may be `Last(b"half")` (then it closes), `CLOSE`, `SILENCE`,
   `Endless(b"...")`, or a function of the command.
`until(condition, "what should happen")` of `processes` waits without sleeping blindly.

Servers end with the thread that has started them: start them from a fixture or a test, not from a thread of your own.
"""

from __future__ import annotations

import functools
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.remote import certificates, processes
from tests.remote.certificates import Certificates
from tests.remote.cluster import Cluster
from tests.remote.fake import Fake
from tests.remote.processes import KINDS, PASSWORD, Server, started
from tests.remote.proxy import Proxy
from tests.remote.sentinels import Sentinels

NEWEST = ("redis8", "valkey9", "redis7")  # what is taken where one kind is enough: the first that there is


Made = TypeVar("Made", Server, Sentinels, Cluster)


def missing(kind: str) -> str | None:
    """Why a test that needs this kind of server cannot run here; None when it can."""
    if processes.program(kind) is None:
        return f"no {kind} here; `make servers` brings redis8 and valkey9, redis7 is the system's, of 7.0 or newer"
    return None


class Servers:
    """See the top of the file. Whatever there is no program for skips the test that asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sockets = tempfile.TemporaryDirectory(prefix="streamcli-")
        self._made: list[Server | Sentinels | Cluster] = []
        self._count = itertools.count(1)
        self._kept: dict[tuple[str, ...], Any] = {}

    @functools.cached_property
    def certificates(self) -> Certificates:
        """What TLS needs."""
        if not certificates.can_be_made():
            pytest.skip("there is no openssl here to make certificates with")
        return Certificates(self._folder / "certificates")

    def start(self, kind: str | None = None, options: dict[str, str] | None = None, **more: Any) -> Server:
        """A server of one's own, by `Server`'s arguments."""
        kind = needed(kind)
        return self._added(started(lambda: Server(kind, self._place(kind), options, **more)))

    def standalone(self, kind: str | None = None) -> Server:
        made = self.certificates if certificates.can_be_made() else None
        return self._once(("standalone", needed(kind)), lambda: self.start(kind, certificates=made))

    def guarded(self, kind: str | None = None) -> Server:
        return self._once(("guarded", needed(kind)), lambda: self.start(kind, guard=PASSWORD))

    def tls(self, kind: str | None = None, certificate: str = "server", clients: str = "no") -> Server:
        asks = {"tls-auth-clients": clients}
        return self._once(
            ("tls", needed(kind), certificate, clients),
            lambda: self.start(kind, asks, certificates=self.certificates, certificate=certificate),
        )

    def sentinels(self, kind: str | None = None) -> Sentinels:
        kind = needed(kind)
        return self._once(("sentinels", kind), lambda: self._added(Sentinels(kind, self._place(kind))))

    def cluster(self, kind: str | None = None) -> Cluster:
        kind = needed(kind)
        return self._once(("cluster", kind), lambda: self._added(Cluster(kind, self._place(kind))))

    def _once(self, name: tuple[str, ...], make: Callable[[], Made]) -> Made:
        if name not in self._kept:
            self._kept[name] = make()
        made: Made = self._kept[name]
        return made

    def _added(self, made: Made) -> Made:
        self._made.append(made)
        return made

    def _place(self, kind: str) -> Path:
        """A folder of its own; pytest keeps it for a while, with the logs, if its name leaves room for a socket's."""
        name = f"{kind}-{next(self._count)}"
        kept = self._folder / name
        return kept if len(str(kept)) < 80 else Path(self._sockets.name) / name

    def close(self) -> None:
        for made in reversed(self._made):
            made.close()
        self._sockets.cleanup()


def needed(kind: str | None) -> str:
    """The kind asked for, the newest if None; skips the test where there is none."""
    kind = kind or newest()
    if why := missing(kind):
        pytest.skip(why)
    return kind


def newest() -> str:
    """The kind for tests for which one is enough."""
    return next((kind for kind in NEWEST if missing(kind) is None), NEWEST[0])


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    made = Servers(tmp_path_factory.mktemp("servers"))
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def standalone(request: pytest.FixtureRequest, servers: Servers) -> Server:
    """One server of each kind, without a key."""
    server = servers.standalone(request.param)
    server.empty()
    return server


@pytest.fixture
def server(servers: Servers) -> Server:
    """The newest Redis there is, without a key."""
    server = servers.standalone()
    server.empty()
    return server


@pytest.fixture
def sentinels(servers: Servers) -> Sentinels:
    """A primary, a replica and three Sentinels, all well and empty."""
    made = servers.sentinels()
    made.heal()
    return made


@pytest.fixture
def cluster(servers: Servers) -> Cluster:
    """Six nodes, all well and empty."""
    made = servers.cluster()
    made.heal()
    return made


@pytest.fixture
def proxied() -> Iterator[Callable[[int | str], Proxy]]:
    """Makes proxies."""
    made: list[Proxy] = []

    def make(target: int | str) -> Proxy:
        made.append(proxy := Proxy(target))
        return proxy

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def fake() -> Iterator[Callable[..., Fake]]:
    """Makes servers that say what they are told to say."""
    made: list[Fake] = []

    def make(*answers: Any, **more: Any) -> Fake:
        made.append(server := Fake(*answers, **more))
        return server

    yield make
    for server in made:
        server.close()
