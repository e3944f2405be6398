"""Server processes: found, started on free ports of loopback, and gone when the test session is.

A port is held by a socket that is bound but does not listen while its server runs: Linux then gives the number to
nobody who asks for any, and still lets the server bind it. A server that cannot start all the same is tried again.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.conformance.live import unpacked
from tests.remote.certificates import Certificates
from tests.remote.client import Client, RefusedError, info

if TYPE_CHECKING:
    from streamcli.backend.address import Address

KINDS: Final = (
    "redis7",
    "redis8",
    "valkey9",
)  # the system's Redis, whatever its version; and what `make servers` brings
PATIENCE: Final = 20.0  # seconds; what takes longer has failed
PASSWORD: Final = "open-sesame-77"  # of the default user of a guarded server
ALICE: Final = "looking-glass-88"  # of alice, who may read and write streams whose name begins with a, and little else
USER: Final = f"alice on >{ALICE} ~a* resetchannels -@all +@read +@stream +@connection +@transaction +command +info"
QUIET: Final = {
    "save": '""',
    "appendonly": "no",
    "loglevel": "notice",
    "repl-diskless-sync": "yes",
    "repl-diskless-sync-delay": "0",
    "enable-debug-command": "local",
}


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Waits for a condition; a server that cannot be asked just now is asked again. Raises AssertionError."""
    end = time.monotonic() + patience
    while True:
        with contextlib.suppress(RefusedError):
            if condition():
                return
        if time.monotonic() > end:
            raise AssertionError(f"this did not happen: {what}")
        time.sleep(0.01)


def program(kind: str) -> list[str] | None:
    """The words that start a kind of server, or None where there is none."""
    if kind == "redis7":
        found = shutil.which("redis-server", path=os.environ.get("PATH", os.defpath) + ":/usr/bin:/usr/local/bin")
        return [found] if found and _is_at_least_7(found) else None
    return unpacked({"redis8": "redis-server", "valkey9": "valkey-server"}[kind])


class Port:
    """A number that is ours until `release`."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))  # without SO_REUSEADDR, so that the kernel picks a number nobody has
        self.number: int = self._socket.getsockname()[1]
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # with it, so that the server may bind too

    def release(self) -> None:
        self._socket.close()


class Server:
    """A running server. `port` speaks plainly, `tls_port` TLS (0: it does not), `path` is its unix socket.

    `options` are settings by name, put over QUIET; `lines` stand below them. `guard` is the default user's password.
    """

    def __init__(
        self,
        kind: str,
        folder: Path,
        options: dict[str, str] | None = None,
        *,
        certificates: Certificates | None = None,
        certificate: str = "server",
        guard: str | None = None,
        lines: Sequence[str] = (),
        sentinel: bool = False,
    ) -> None:
        words = program(kind)
        assert words is not None, f"no {kind} on this machine"
        self.kind, self.folder, self.guard, self.certificates = kind, folder, guard, certificates
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports = [Port(), *([Port()] if certificates else [])]
        self.port = self._ports[0].number
        self.tls_port = self._ports[1].number if certificates else 0
        self.path = str(folder / "s")
        self.log = folder / "log"
        settings = {**({} if sentinel else QUIET), "bind": "127.0.0.1", "port": str(self.port)}
        settings |= {"dir": str(folder), "unixsocket": self.path}
        if guard is not None:
            settings["requirepass"] = guard
        if certificates:
            settings |= {"tls-port": str(self.tls_port), "tls-auth-clients": "no"} | certificates.settings(certificate)
        settings |= options or {}
        self.file = folder / "server.conf"  # Sentinel and a cluster's node write into theirs
        written = [f"{name} {value}" for name, value in settings.items()]
        self.file.write_text("\n".join([*written, *lines, *([] if sentinel else [f"user {USER}"])]) + "\n")
        self._words = [*_with_its_parent(words), str(self.file), *(["--sentinel"] if sentinel else [])]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    # -- its process ------------------------------------------------------------------

    def start(self) -> None:
        """Starts it, again if it was killed, on the same ports and with the same settings; ready when this returns."""
        assert not self.runs, "it runs already"
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(self._words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self._answers, f"the {self.kind} of {self.folder} answers")

    def _answers(self) -> bool:
        if not self.runs:
            raise StartError(f"{self.kind} did not start: " + " / ".join(self.said()[-5:]))
        with self.client(timeout=5) as client:
            return client.call("PING") is not None

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def said(self) -> list[str]:
        """The lines of its log."""
        return self.log.read_text(errors="replace").splitlines()

    def kill(self) -> None:
        """As a power cut would, and wait until it is gone. `start` brings it back."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It keeps its connections and answers nothing, until `resume`."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        self._end(signal.SIGKILL)  # nothing of it is kept
        for port in self._ports:
            port.release()

    def _end(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            if number != signal.SIGKILL:  # which a process that is stopped obeys without a last word
                self._process.send_signal(signal.SIGCONT)
            self._process.wait(PATIENCE)

    # -- what it holds ----------------------------------------------------------------

    def client(self, *, timeout: float = PATIENCE) -> Client:
        """A plain connection as the default user, past what is tested."""
        return Client(path=self.path, password=self.guard, timeout=timeout)

    def call(self, *words: bytes | str | int) -> Any:
        """One command on a plain connection of its own. Raises RefusedError."""
        with self.client() as client:
            return client.call(*words)

    def info(self, section: str = "everything") -> dict[str, str]:
        return info(self.call("INFO", section))

    def empty(self) -> None:
        """No keys in any database."""
        self.call("FLUSHALL")

    @property
    def version(self) -> str:
        """`7.0.15`; Valkey's own number, not the one it gives for Redis."""
        told = self.info("server")
        return told.get("valkey_version") or told["redis_version"]

    # -- how to get there -------------------------------------------------------------

    def address(self, **parts: Any) -> Address:
        """Over TCP, as the default user (with the password, where there is one); parts as in `Address`."""
        from streamcli.backend.address import Address

        return Address(**{"host": "127.0.0.1", "port": self.port, "password": self.guard, **parts})

    def socket_address(self, **parts: Any) -> Address:
        """Over its unix socket."""
        return self.address(path=self.path, **parts)

    def tls_address(self, *, client: bool = False, verify: bool = True, **parts: Any) -> Address:
        """Over TLS, by the tests' own CA; `client`: with a certificate of our own."""
        from streamcli.backend.address import Tls

        assert self.certificates is not None
        of = self.certificates
        tls = Tls(
            cacert=str(of.ca) if verify else None,
            cert=str(of.certificate("client")) if client else None,
            key=str(of.key("client")) if client else None,
            verify=verify,
        )
        return self.address(**{"port": self.tls_port, "tls": tls, **parts})

    def __repr__(self) -> str:
        return f"<{self.kind} at {self.port}{'' if self.runs else ', dead'}>"


class StartError(RefusedError):
    """The process has ended before it answered."""


def started(make: Callable[[], Server], attempts: int = 3) -> Server:
    """A server; one that does not come up is tried again, since its port may have been taken all the same."""
    for left in reversed(range(attempts)):
        try:
            return make()
        except AssertionError:
            if not left:
                raise
    raise AssertionError("unreachable")


def _with_its_parent(words: list[str]) -> list[str]:
    """A test run that is killed takes its servers with it, where util-linux can arrange that."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--", *words] if setpriv else words


@functools.cache
def _is_at_least_7(server: str) -> bool:
    """An older one has half of the streams' commands."""
    told = subprocess.run([server, "--version"], capture_output=True, text=True, check=False).stdout
    version = told.partition("v=")[2].partition(".")[0]
    return version.isdigit() and int(version) >= 7
