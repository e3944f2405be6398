"""Export and import as a user runs them: pipes, Ctrl-C, kill -9, a server that dies, and a cluster."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from streamcli.backend.embedded import Embedded
from streamcli.backend.remote import connect
from tests.e2e.program import Program, said, until
from tests.remote.conftest import Servers
from tests.tools.carried import ask, make, whole
from tests.tools.desk import Desk, There


def _lines(file: Path, count: int) -> None:
    file.write_bytes(b"".join(b'{"id":"%d-0","fields":[["n","%d"]]}\n' % (at, at) for at in range(1, count + 1)))


def test_a_stream_goes_through_a_pipe(there: There, program: Program, tmp_path: Path) -> None:
    source = Embedded(str(tmp_path / "source.db"))
    make(source, b"a", 7)
    source.close()
    exported = program.run("--db", str(tmp_path / "source.db"), "export", "a", "--groups")
    assert exported.code == 0
    imported = program.run(*there.args, "import", "-", "--groups", stdin=exported.out)
    assert imported.code == 0, imported
    again = Embedded(str(tmp_path / "source.db"))
    assert whole(there.backend(), b"a") == whole(again, b"a")
    again.close()


def test_usage_is_exit_code_2_and_a_missing_file_3(program: Program) -> None:
    missing = said(err="streamcli import: cannot read nowhere: no such file or directory\n", code=3)
    assert program.run("--memory", "import", "nowhere", "--to", "a") == missing
    assert program.run("--memory", "import").code == 2
    assert program.run("--memory", "export").code == 2
    assert program.run("--memory", "export", "a") == said(err="streamcli export: there is no stream a\n", code=1)


def test_a_read_only_session_imports_nothing(there: There, program: Program, tmp_path: Path) -> None:
    _lines(tmp_path / "f.jsonl", 2)
    there.call("PING")  # makes the file
    words = (*there.args, "import", str(tmp_path / "f.jsonl"), "--to", "a")
    refused = "streamcli import: it writes, and this session is read-only; --dry-run is allowed\n"
    assert program.run("--read-only", *words) == said(err=refused, code=1)
    assert program.run("--read-only", *words, "--dry-run") == said("2 entries would be added to a\n")
    assert there.call("EXISTS", "a") == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_an_import_the_same_command_goes_on(
    there: There, program: Program, tmp_path: Path, number: signal.Signals
) -> None:
    file = tmp_path / "f.jsonl"
    _lines(file, 60_000)
    there.call("PING")
    running = program.start(*there.args, "import", str(file), "--to", "a")
    until(lambda: bool(there.call("XLEN", "a") > 1000), "1000 entries are there")
    running.process.send_signal(number)
    result = running.finish()
    there_now = there.call("XLEN", "a")
    assert 1000 < there_now < 60_000
    if number is signal.SIGINT:
        where = f"line {there_now} is the last that is certain to be done; the same command goes on from there"
        assert result == said(err=f"import: stopped; {where}\n", code=130)
    desk = Desk(there.backend())
    assert desk.run("import", str(file), "--to", "a") == 0
    assert desk.text == f"{60_000 - there_now:,} entries added to a; {there_now:,} were there already\n"
    assert there.call("XLEN", "a") == 60_000


def test_a_server_that_dies_half_way_is_one_line(servers: Servers, program: Program, tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    _lines(file, 60_000)
    server = servers.start()
    there = ["-h", "127.0.0.1", "-p", str(server.port)]
    backend = connect(server.address())
    running = program.start(*there, "import", str(file), "--to", "a")
    until(lambda: bool(ask(backend, "XLEN", "a") > 10_000), "more than one batch is there")
    server.kill()
    result = running.finish()
    assert (result.out, result.code) == (b"", 3)
    text = result.err.decode()
    place = f"127.0.0.1:{server.port}"  # it dies under a batch, or between two of them
    assert text.startswith(
        (f"streamcli import: the connection to {place} was lost (", f"streamcli import: nothing listens at {place} (")
    )
    assert text.endswith("is the last that is certain to be done; the same command goes on from there\n")
    assert text.count("\n") == 1
    backend.close()


@pytest.mark.xdist_group("cluster")
def test_streams_of_other_slots_go_into_a_cluster_and_back(on_cluster: There, tmp_path: Path) -> None:
    source, target = Embedded(None), on_cluster.backend()
    keys = [b"a", b"b", b"c", b"d"]
    for seed, key in enumerate(keys):
        make(source, key, seed + 200)
        ask(target, "DEL", key)
    file = str(tmp_path / "all.jsonl")
    assert Desk(source).run("export", *keys, "--groups", "-o", file) == 0
    assert Desk(target).run("import", file, "--groups") == 0
    back = Desk(target)
    assert back.run("export", *keys, "--groups") == 0
    for key in keys:
        assert whole(target, key) == whole(source, key)

    def told(text: str) -> list[object]:
        lines = [json.loads(line) for line in text.splitlines()]
        for line in lines:
            for consumer in line.get("consumers", ()):
                del consumer["seen-time"], consumer["active-time"]
            for name in ("idmp-duration", "idmp-maxsize"):
                line.get("settings", {}).pop(name, None)
        return lines

    assert told(back.text) == told(Path(file).read_text(encoding="utf-8"))
    source.close()
