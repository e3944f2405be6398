#!/usr/bin/env python3
"""Real servers to test against, unpacked into one folder: Redis 8.0 with its redis-cli, and Valkey 9.

    tests/servers.py install [DIR]                          fetch and unpack them into DIR (.servers)
    tests/servers.py run redis|valkey|redis-cli [DIR] ARGS  run one of them from there

They are Debian's packages, of a suite newer than the system may be, fetched from the mirror this machine's apt is
set up with. Nothing is installed: apt works on settings, lists and archives of its own, the packages are only
unpacked, and each program is started by the dynamic loader and the libraries that came with it. No root needed.
DIR may be left out of `run` as long as the first of ARGS is no folder with servers in it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

SUITE = os.environ.get("STREAMCLI_SUITE", "forky")
PACKAGES = ("redis-server", "redis-tools", "valkey-server", "valkey-tools")
PROGRAMS = {"redis": "redis-server", "valkey": "valkey-server", "redis-cli": "redis-cli"}
KEYRINGS = Path("/usr/share/keyrings")
HERE = Path(__file__).resolve().parents[1] / ".servers"
# Only what the loader may need: the other dependencies (init scripts, users, adduser) are for an installed system.
LIBRARY = re.compile(r"^(lib|zlib|gcc-\d+-base)")


def fail(sentence: str) -> NoReturn:
    sys.exit(f"servers: {sentence}")


def install(folder: Path) -> None:
    """Makes every program runnable from the folder; does nothing when they are already there."""
    if all((folder / "root/usr/bin" / program).exists() for program in PROGRAMS.values()):
        print(f"servers: already in {folder}")
        return
    for tool in ("apt-get", "apt-cache", "apt-config", "dpkg-deb"):
        if shutil.which(tool) is None:
            fail(f"{tool} not found; this needs Debian, or a system made from it")
    state = folder / "apt"
    try:
        os.environ["APT_CONFIG"] = str(configure(state))
    except OSError as error:
        fail(f"can not write to {folder}: {error.strerror}")
    did("apt-get", "-q", "update", doing=f"read the package lists of {SUITE}")
    did("apt-get", "-q", "download", *PACKAGES, *libraries(), doing="download the packages", into=state / "archives")
    fresh = state / "root"
    for archive in sorted((state / "archives").glob("*.deb")):
        did("dpkg-deb", "-x", str(archive), str(fresh), doing=f"unpack {archive.name}")
    shutil.rmtree(folder / "root", ignore_errors=True)
    fresh.rename(folder / "root")  # in one step, so that half an install is never taken for a whole one
    shutil.rmtree(state)
    for name in PROGRAMS:
        print(did(*command(folder, name), "--version", doing=f"run {name}").strip())


def configure(state: Path) -> Path:
    """Writes a configuration by which apt works below `state` alone; gives the file for APT_CONFIG.

    It takes the place of the system's: a hook of the system's may well write elsewhere. Only how the machine gets to
    its mirror (proxies, certificates, passwords) is taken over.
    """
    system = system_config()
    etc = Path("/") / system.get("Dir", "/") / system.get("Dir::Etc", "etc/apt")
    shutil.rmtree(state, ignore_errors=True)
    for part in ("etc", "lists/partial", "archives/partial"):
        (state / part).mkdir(parents=True)
    (state / "status").touch()
    (state / "etc/sources.list").write_text(f"deb [signed-by={keyring(state)}] {mirror(etc)} {SUITE} main\n")
    settings: dict[str, str | Path] = {
        name: value for name, value in system.items() if name.startswith("Acquire::") and value
    }
    settings |= {
        "Dir::Etc": state / "etc",
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::parts": "/dev/null",
        "Dir::Etc::netrc": etc / "auth.conf",
        "Dir::Etc::netrcparts": etc / "auth.conf.d",
        "Dir::State": state,
        "Dir::State::Lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "Dir::Cache::archives": state / "archives",
        "APT::Sandbox::User": "root",  # apt's own user may not be allowed into the folder
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "Acquire::http::Timeout": "20",
    }
    file = state / "apt.conf"
    file.write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    return file


def system_config() -> dict[str, str]:
    """The settings of the machine's apt, lists left out."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    pairs = re.findall(r'^(\S+) "(.*)";$', dump, re.MULTILINE)
    return {name: value for name, value in pairs if not name.endswith("::")}


def mirror(etc: Path) -> str:
    """The address of the Debian archive this machine's apt is set up with."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for file in filter(Path.is_file, files):
        for line in file.read_text(errors="replace").splitlines():
            match = re.match(r"\s*(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)([a-z+]+:\S+)", line)
            if match and match[1].rstrip("/").endswith("/debian"):
                return match[1].rstrip("/")
    fail("no Debian mirror among this machine's apt sources")


def keyring(state: Path) -> Path:
    """A file with every Debian archive key there is: a newer suite may be signed with a newer one."""
    if (KEYRINGS / "debian-archive-keyring.gpg").exists():
        return KEYRINGS / "debian-archive-keyring.gpg"
    keys = sorted(KEYRINGS.glob("debian-archive-*.gpg"))
    if not keys:
        fail("no Debian archive keys on this machine; install debian-archive-keyring")
    joined = state / "keys.gpg"
    joined.write_bytes(b"".join(key.read_bytes() for key in keys))
    return joined


def libraries() -> list[str]:
    """The libraries that the packages need, and those need in turn."""
    kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    options = ["depends", "--recurse", "--important", *(f"--no-{kind}" for kind in kinds)]
    told = did("apt-cache", *options, *PACKAGES, doing="ask for the packages' dependencies")
    names = sorted(name for name in set(told.splitlines()) if LIBRARY.match(name) and ":" not in name)
    # Names that other packages provide are among them; those can be asked for, but not shown or downloaded.
    shown = subprocess.run(
        ["apt-cache", "show", "--no-all-versions", *names], capture_output=True, text=True, check=False
    ).stdout
    return sorted(set(re.findall(r"^Package: (\S+)$", shown, re.MULTILINE)))


def did(*words: str, doing: str, into: Path | None = None) -> str:
    """Runs a program and gives its output; a failure ends everything with one line, from the program's last words."""
    done = subprocess.run(words, capture_output=True, text=True, cwd=into, check=False)
    if done.returncode:
        said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        reasons = [line for line in said if line.startswith("E:")] or said or [f"exit code {done.returncode}"]
        fail(f"can not {doing}: {reasons[0].removeprefix('E: ')}")
    return done.stdout


def command(folder: Path, name: str) -> list[str]:
    """The words that start a program with the loader and the libraries it was built for."""
    usr = folder / "root/usr"
    program = usr / "bin" / PROGRAMS[name]
    libraries_of = sorted((usr / "lib").glob("*-linux-gnu*"))
    loaders = sorted([*usr.glob("lib/*-linux-gnu*/ld-linux*.so.*"), *usr.glob("lib*/ld-linux*.so.*")])
    if not (program.exists() and libraries_of and loaders):
        fail(f"no {PROGRAMS[name]} in {folder}; run: tests/servers.py install {folder}")
    return [str(loaders[0]), "--library-path", ":".join(map(str, libraries_of)), str(program)]


def main(words: list[str]) -> None:
    match words:
        case ["install", *rest] if len(rest) <= 1:
            install(Path(rest[0] if rest else HERE).absolute())
        case ["run", name, *rest] if name in PROGRAMS:
            named = bool(rest) and (Path(rest[0]) / "root/usr/bin").is_dir()
            start = command(Path(rest[0]).absolute() if named else HERE, name) + rest[named:]
            os.execv(start[0], start)
        case _:
            sys.exit((__doc__ or "").strip())


if __name__ == "__main__":
    main(sys.argv[1:])
