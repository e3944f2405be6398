"""A primary, its replica, and the three Sentinels that watch them under the name `mymaster`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.remote.client import RefusedError
from tests.remote.processes import Server, until

if TYPE_CHECKING:
    from streamcli.backend.address import Address

NAME: Final = "mymaster"
QUORUM: Final = 2
DOWN_MS: Final = 500  # how long a server may be silent
_QUICK: Final = {  # ms; from Redis 7.0 and Valkey on, and no other way to be fast
    "info-period": 200,
    "publish-period": 500,  # four of these must outlast the second in which a promoted replica is asked who it is
    "ping-period": 100,
    "ask-period": 100,
    "min-link-reconnect-period": 100,
    "slave-reconf-timeout": 1000,
    "election-timeout": 500,
    "default-failover-timeout": 2000,
}


class Sentinels:
    """The five of them. Who is primary changes: ask `primary()`. Ready when made."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self._opened: list[Server] = []
        try:
            self._build(kind, folder)
        except BaseException:
            self.close()
            raise

    def _build(self, kind: str, folder: Path) -> None:
        first = self._open(Server(kind, folder / "one"))
        second = self._open(Server(kind, folder / "two", lines=[f"replicaof 127.0.0.1 {first.port}"]))
        self.data = [first, second]
        watch = [
            f"sentinel monitor {NAME} 127.0.0.1 {first.port} {QUORUM}",
            f"sentinel down-after-milliseconds {NAME} {DOWN_MS}",
            f"sentinel failover-timeout {NAME} 2000",
        ]
        self.watchers = [
            self._open(Server(kind, folder / f"watcher-{number}", lines=watch, sentinel=True)) for number in (1, 2, 3)
        ]
        for watcher in self.watchers:
            for name, milliseconds in _QUICK.items():
                with contextlib.suppress(RefusedError):
                    watcher.call("SENTINEL", "DEBUG", name, milliseconds)
        until(self.is_whole, "the Sentinels see everything they watch")

    def _open(self, server: Server) -> Server:
        self._opened.append(server)
        return server

    def address(self, **parts: Any) -> Address:
        """Through the Sentinels; parts as in `Address`."""
        from streamcli.backend.address import Address

        hosts = tuple(("127.0.0.1", watcher.port) for watcher in self.watchers)
        return Address(**{"sentinels": hosts, "master": NAME, **parts})

    # -- who is who ---------------------------------------------------------------------

    def primary(self) -> Server:
        """The one that the Sentinels would send a client to. Raises RefusedError while none of them can say."""
        asked = [watcher for watcher in self.watchers if watcher.runs]
        _, port = asked[0].call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
        return next(server for server in self.data if server.port == int(port))

    def replica(self) -> Server:
        """The other one."""
        primary = self.primary()
        return next(server for server in self.data if server is not primary)

    def is_whole(self) -> bool:
        """Is everything up, of one mind, and copied?"""
        seen = [_fields(watcher.call("SENTINEL", "MASTER", NAME)) for watcher in self.watchers]
        ports = {fields["port"] for fields in seen}
        counts = {(fields["num-other-sentinels"], fields["num-slaves"], fields["flags"]) for fields in seen}
        if len(ports) != 1 or counts != {("2", "1", "master")}:
            return False
        told = [server.info("replication") for server in (self.primary(), self.replica())]
        followed = (told[1].get("master_port"), told[1].get("master_link_status"))
        replicas = [_fields(watcher.call("SENTINEL", "REPLICAS", NAME)[0])["flags"] for watcher in self.watchers]
        return (
            [one["role"] for one in told] == ["master", "slave"]
            and followed == (str(self.primary().port), "up")
            and replicas == ["slave"] * 3
        )

    # -- what goes wrong ------------------------------------------------------------------

    def fail_over(self) -> Server:
        """The replica takes over in good order; gives the new primary, once all are of one mind again."""
        before = self.primary()
        for left in (2, 1, 0):  # a Sentinel may give one up
            until(self._agrees, "the Sentinel agrees to a failover")
            try:
                until(lambda: self.primary() is not before and self.is_whole(), "the failover is done", 8)
            except AssertionError:
                if not left:
                    raise
            else:
                break
        return self.primary()

    def _agrees(self) -> bool:
        """It refuses while it still looks back on the last failover."""
        return bool(self.watchers[0].call("SENTINEL", "FAILOVER", NAME) == b"OK")

    def kill_primary(self, *, wait: bool = True) -> Server:
        """The primary dies; gives the one that took over, or with wait=False the one that is dead.

        `heal` brings the dead one back as a replica.
        """
        before = self.primary()
        before.kill()
        if not wait:
            return before
        until(lambda: self._is_followed(before), "another has taken over")
        return self.primary()

    def _is_followed(self, before: Server) -> bool:
        told = {watcher.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1] for watcher in self.watchers}
        return told == {str(other.port).encode() for other in self.data if other is not before} and (
            self.primary().info("replication")["role"] == "master"
        )

    def heal(self) -> None:
        """Whatever died runs again, all are of one mind, and no keys are left."""
        for server in self._opened:
            if not server.runs:
                server.start()
        until(self.is_whole, "the Sentinels are of one mind again", 40)
        self.primary().empty()
        self.primary().call("WAIT", 1, 2000)

    def close(self) -> None:
        for server in self._opened:
            server.close()


def _fields(flat: list[bytes]) -> dict[str, str]:
    words = [word.decode() for word in flat]
    return dict(zip(words[::2], words[1::2], strict=True))
