"""A place that has a name in the config file: what is said of it, and what does not go together."""

from __future__ import annotations

from typing import Any, NamedTuple

_OF_TLS = ("cacert", "cert", "key", "sni", "insecure")
_LOCAL = ("db", "memory", "number", "read-only")  # what a profile may say that is no server


class Profile(NamedTuple):
    """A place that has a name. `fault` is why it cannot be gone to, as the warning has it."""

    db: str | None = None
    memory: bool = False
    url: str | None = None
    host: str | None = None
    port: int | None = None
    socket: str | None = None
    cluster: bool = False
    sentinel: str | None = None  # hosts and ports, with commas between them
    master: str | None = None
    read_from: str | None = None
    connect_timeout: float | None = None
    timeout: float | None = None
    user: str | None = None
    password: str | None = None
    askpass: bool = False
    sentinel_user: str | None = None
    sentinel_password: str | None = None
    tls: bool = False
    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    sni: str | None = None
    insecure: bool = False
    protocol: int | None = None
    number: int = 0
    read_only: bool = False
    fault: str | None = None

    def __repr__(self) -> str:
        """What it says, without the secrets in it."""
        said = [name for name, default in self._field_defaults.items() if getattr(self, name) != default]
        return f"Profile({', '.join(f'{name}={_unsecret(name, getattr(self, name))}' for name in said)})"

    @property
    def holds_password(self) -> bool:
        from streamcli.backend.address import AddressError, address

        try:
            there = address(self.url) if self.url else None
        except AddressError:  # then nobody can tell
            return True
        passwords = [self.password, self.sentinel_password]
        return any([*passwords, *([there.password, there.sentinel_password] if there else [])])


def _unsecret(name: str, value: object) -> str:
    return "***" if name in ("url", "password", "sentinel_password") else repr(value)


def contradiction(good: dict[str, Any]) -> tuple[str, str] | None:
    """What is wrong with a profile's settings together, by the name of one of them; None when they go together."""
    from streamcli.backend.address import address, clash, missing

    said = [name for name, value in good.items() if value is not False]
    local = [name for name in said if name in ("db", "memory")]
    server = [name for name in said if name not in _LOCAL]
    if pair := (local if len(local) > 1 else [local[0], server[0]] if local and server else clash(said)):
        first, second = sorted(pair, key=said.index)
        return second, f"has {first} and {second}; give one of them"
    if pair := missing(said):
        return pair[0], f"has {pair[0]} without {pair[1]}"
    there = address(good["url"]) if "url" in good else None
    secured = good.get("tls") or (there is not None and there.tls is not None)
    if (of_tls := [name for name in said if name in _OF_TLS]) and not secured:
        return of_tls[0], f"has {of_tls[0]} without tls = true"
    sentinel = "sentinel" in said or (there is not None and there.sentinels)
    if (of_sentinel := [name for name in said if name.startswith("sentinel-")]) and not sentinel:
        return of_sentinel[0], f"has {of_sentinel[0]} without sentinel"
    return None
