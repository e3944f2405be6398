"""Certificates for TLS, made with the openssl command each time: none is older than the test run.

`server` is for 127.0.0.1 and localhost; `elsewhere` names another host, `expired` ended long ago, `client` is a
user's. All of them are signed by the CA in `ca`; `stranger` is signed by itself.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

HERE: Final = "IP:127.0.0.1,DNS:localhost"
NAMES: Final = {  # what each is for, and its last day, None: tomorrow
    "server": (HERE, None),
    "elsewhere": ("DNS:redis.elsewhere.example", None),
    "expired": (HERE, "20200102000000Z"),
    "client": ("DNS:alice.example", None),
}
_CA = """
[ca]
default_ca = us
[us]
database = index
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""


class Certificates:
    """A folder of them. Raises CalledProcessError when openssl fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index").touch()
        (folder / "ca.conf").write_text(_CA)
        self.ca = self.certificate("ca")
        self._signed_by_itself("ca", "CA:TRUE")
        self._signed_by_itself("stranger", "CA:FALSE")
        for name, (hosts, last_day) in NAMES.items():
            self._signed(name, hosts, last_day)

    def certificate(self, name: str) -> Path:
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def settings(self, name: str) -> dict[str, str]:
        """A server's, by which it shows that certificate."""
        return {
            "tls-cert-file": str(self.certificate(name)),
            "tls-key-file": str(self.key(name)),
            "tls-ca-cert-file": str(self.ca),
        }

    def _signed_by_itself(self, name: str, constraint: str) -> None:
        self._openssl(
            "req", "-x509", *self._fresh_key(name), "-out", f"{name}.crt", "-days", "2", "-subj", f"/CN={name}",
            "-addext", f"basicConstraints=critical,{constraint}", "-addext", f"subjectAltName={HERE}",
        )  # fmt: skip

    def _signed(self, name: str, hosts: str, last_day: str | None) -> None:
        self._openssl(
            "req", *self._fresh_key(name), "-out", f"{name}.csr", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={hosts}",
        )  # fmt: skip
        when = ["-startdate", "20200101000000Z", "-enddate", last_day] if last_day else ["-days", "2"]
        self._openssl(
            "ca", "-batch", "-notext", "-config", "ca.conf", "-cert", "ca.crt", "-keyfile", "ca.key",
            "-in", f"{name}.csr", "-out", f"{name}.crt", *when,
        )  # fmt: skip

    def _fresh_key(self, name: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]

    def _openssl(self, *words: str) -> None:
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"openssl {words[0]}: {done.stderr.strip()}")


def can_be_made() -> bool:
    return shutil.which("openssl") is not None
