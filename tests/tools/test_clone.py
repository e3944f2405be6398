"""`clone` as a user has it: what is copied, what is refused, what is said, and what a fault leaves behind."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from streamcli.backend.embedded import Embedded
from tests.e2e.program import DEADLINE, Program, Result, said, until
from tests.e2e.test_disk_full import at_most
from tests.remote.processes import ALICE, Server
from tests.remote.proxy import Proxy
from tests.tools.desk import There, on_engine
from tests.tools.streams import look

ENTRIES = 5000
ALL_SAME = r"; compared \(all entries\): the same\n"


def fill(there: There, entries: int = 100, key: str = "a") -> There:
    """A stream whose first half a group has pending, some of it gone from the stream; it expires in 2033."""
    backend = there.backend()
    for _ in backend.pipelined(
        [b"XADD", key.encode(), b"%d-1" % number, b"n", b"%d" % number, b"n", b"\xff\0"]
        for number in range(1, entries + 1)
    ):
        pass
    there.call("XGROUP", "CREATE", key, "g", 0)
    there.call("XREADGROUP", "GROUP", "g", "c", "COUNT", entries // 2, "STREAMS", key, ">")
    there.call("XDEL", key, "10-1", f"{entries - 1}-1")
    there.call("XTRIM", key, "MINID", "5")
    there.call("XGROUP", "CREATECONSUMER", key, "g", "idle")
    there.call("XCLAIM", key, "g", "d", 0, "20-1", "TIME", 1_700_000_000_123, "RETRYCOUNT", 7)
    there.call("PEXPIREAT", key, 1_999_999_999_999)
    return there


@pytest.fixture
def file(program: Program) -> There:
    """The engine's file that the program has as `db`, with a stream a."""
    there = fill(on_engine(program.db))
    there.close()
    return on_engine(program.db)


def place(there: There, program: Program) -> str:
    """How it is named on a command line."""
    return str(program.db) if there.kind == "engine" else f"127.0.0.1:{there.args[-1]}"


def same(one: There, other: There, key: bytes = b"a", other_key: bytes = b"a") -> bool:
    return bool(look(one.backend(), key) == look(other.backend(), other_key))


def ok(result: Result, pattern: str) -> None:
    """It went well, and said this and nothing else."""
    out = result.out.decode()
    assert (result.code, result.err.decode()) == (0, ""), out
    assert re.fullmatch(pattern, out), out


def test_a_stream_goes_to_another_place_and_back_whole(there: There, program: Program, tmp_path: Path) -> None:
    fill(there)
    second = on_engine(tmp_path / "second.db")
    first = str(tmp_path / "there.db") if there.kind == "engine" else f"127.0.0.1:{there.args[-1]}"
    copied = r"a: 94 entries, 1 group, 50 pending: copied" + ALL_SAME
    ok(program.run("clone", first, tmp_path / "second.db", "a"), copied)
    assert same(there, second)
    assert second.call("PEXPIRETIME", "a") == 1_999_999_999_999
    ok(program.run("clone", tmp_path / "second.db", first, "--rename", "b", "a"), copied.replace("a:", "a as b:", 1))
    assert same(there, there, b"a", b"b")
    assert sorted(there.call("KEYS", "*")) == [b"a", b"b"]
    second.close()


def test_here_is_the_place_in_use(file: There, there: There, program: Program) -> None:
    if there.kind == "engine":
        pytest.skip("it is the same twice")
    ok(program.run("--db", program.db, "clone", ".", place(there, program)), r"a: 94 .*\n")
    ok(program.run(*there.args, "clone", ".", "again.db"), r"a: 94 .*\n")
    assert same(file, there)
    again = on_engine(program.home / "again.db")
    assert same(file, again)
    again.close()


@pytest.mark.xdist_group("cluster")
def test_from_a_file_to_a_cluster_and_back(file: There, on_cluster: There, program: Program) -> None:
    on_cluster.call("FLUSHALL")
    backend = file.backend()
    for name in (b"b", b"c{x}", b"{", b"}{}d"):
        backend.execute((b"COPY", b"a", name))
    got = program.run(*on_cluster.args, "clone", program.db, ".")
    assert got.code == 0, got
    assert got.out.count(b"the same\n") == 5
    got = program.run(*on_cluster.args, "clone", ".", "back.db")
    assert got.code == 0, got
    back = on_engine(program.home / "back.db")
    for name in (b"a", b"b", b"c{x}", b"{", b"}{}d"):
        assert same(file, on_cluster, name, name)
        assert same(file, back, name, name)
    assert back.call("DBSIZE") == 5
    back.close()


def test_all_streams_are_copied_or_those_that_match(file: There, program: Program) -> None:
    for name in ("b:1", "b:2", "half:cloning"):
        file.call("COPY", "a", name)
    file.call("SET", "text", "no stream")
    got = program.run("clone", program.db, "two.db", "--match", "b:*", "--match", "a*", "--prefix", "x:")
    assert [line.split(":", 2)[:2] for line in got.out.decode().splitlines()] == [
        ["a as x", "a"], ["b", "1 as x"], ["b", "2 as x"],
    ]  # fmt: skip
    got = program.run("clone", program.db, "three.db", "--json")
    assert [(row["copy"], row["did"]) for row in json.loads(got.out)] == [("a", "new"), ("b:1", "new"), ("b:2", "new")]
    got = program.run("clone", program.db, "four.db", "--match", "nothing*")
    assert (got.out, got.err, got.code) == (b"", b"clone: there are no streams to copy\n", 0)


def test_without_its_groups_a_stream_is_copied_alone(file: There, program: Program) -> None:
    ok(program.run("clone", program.db, "two.db", "--no-groups"), r"a: 94 entries: copied" + ALL_SAME)
    two = on_engine(program.home / "two.db")
    assert two.call("XINFO", "GROUPS", "a") == []
    assert two.call("XRANGE", "a", "-", "+") == file.call("XRANGE", "a", "-", "+")
    two.close()


def test_an_empty_stream_keeps_what_it_was(file: There, program: Program) -> None:
    file.call("XTRIM", "a", "MAXLEN", 0)
    ok(program.run("clone", program.db, "two.db", "a"), r"a: 0 entries, 1 group, 50 pending: copied" + ALL_SAME)
    two = on_engine(program.home / "two.db")
    assert same(file, two)
    two.close()


# -- what is there already --------------------------------------------------------------------------


def test_a_dry_run_makes_nothing_not_even_a_file(file: There, program: Program) -> None:
    assert program.run("clone", program.db, "new.db", "--dry-run") == said("a: 94 entries, 1 group, 50 pending: new\n")
    assert not (program.home / "new.db").exists()
    assert file.call("XLEN", "a") == 94


def test_a_stream_that_is_there_is_replaced_or_updated_only_when_it_is_said(file: There, program: Program) -> None:
    two = on_engine(program.home / "two.db")
    two.call("XADD", "a", "1-1", "other", "stream")
    why = "a is there already: --replace puts a new copy in its place, --update brings an old copy up to date"
    refused = said("", f"clone: a: {why}\nstreamcli clone: nothing was copied\n", 1)
    assert program.run("clone", program.db, "two.db") == refused
    planned = said(f"a: 94 entries, 1 group, 50 pending: refused ({why})\n", code=1)
    assert program.run("clone", program.db, "two.db", "--dry-run") == planned
    got = program.run("clone", program.db, "two.db", "--update")
    assert got == said(
        "",
        "clone: a: a is no copy of a, or a very old one: it has other entries\nstreamcli clone: nothing was copied\n",
        1,
    )
    assert two.call("XRANGE", "a", "-", "+") == [[b"1-1", [b"other", b"stream"]]]
    ok(program.run("clone", program.db, "two.db", "--replace"), r"a: 94 .* copied" + ALL_SAME)
    assert same(file, two)
    assert two.call("DBSIZE") == 1
    two.close()


def test_an_old_copy_is_brought_up_to_date(file: There, there: There, program: Program) -> None:
    if there.kind == "engine":
        pytest.skip("it is the same twice")
    to = place(there, program)
    ok(program.run("clone", program.db, to), r"a: 94 .*\n")
    ok(program.run("clone", program.db, to), r"a: 94 entries, 1 group, 50 pending: is there already" + ALL_SAME)
    file.call("XADD", "a", "200-1", "new", "one")
    file.call("XDEL", "a", "60-1")
    file.call("XTRIM", "a", "MINID", "7")
    file.call("XACK", "a", "g", "30-1", "31-1")
    file.call("XGROUP", "CREATE", "a", "h", "$")
    file.call("XGROUP", "DELCONSUMER", "a", "g", "idle")
    file.call("XREADGROUP", "GROUP", "g", "new", "COUNT", 3, "STREAMS", "a", ">")
    file.call("PERSIST", "a")
    assert program.run("clone", program.db, to).code == 1
    updated = r"a: 92 entries, 2 groups, 51 pending: 1 entry added, 3 removed" + ALL_SAME
    ok(program.run("clone", program.db, to, "--update"), updated)
    assert same(file, there)
    assert there.call("PTTL", "a") == -1


def test_a_copy_that_has_got_entries_of_its_own_is_not_updated(file: There, program: Program) -> None:
    assert program.run("clone", program.db, "two.db").code == 0
    two = on_engine(program.home / "two.db")
    two.call("XADD", "a", "500-1", "its", "own")
    got = program.run("clone", program.db, "two.db", "--update")
    why = "clone: a: a has gone on by itself, to 500-1\n"
    assert got == said("", f"{why}streamcli clone: nothing was copied\n", 1)
    two.close()


def test_what_is_no_stream_is_not_written_over(file: There, program: Program) -> None:
    two = on_engine(program.home / "two.db")
    two.call("SET", "a", "text")
    refused = said("", "clone: a: a is there, and is no stream\nstreamcli clone: nothing was copied\n", 1)
    assert program.run("clone", program.db, "two.db", "--replace") == refused
    got = program.run("clone", "two.db", program.db, "a")
    assert got.err.startswith(b"streamcli clone: a: XINFO STREAM: WRONGTYPE")
    assert got.code == 1
    two.close()


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["no.db", "two.db"], 3, "there is no database to read: no.db"),
        (["streams.db", "two.db", "b"], 1, "there is no stream b"),
        (["streams.db", "two.db", "a", "--match", "b"], 2, "name streams, or give --match, not both"),
        (["streams.db", "two.db", "a", "b", "--rename", "c"], 2, "--rename is for one stream, and there are 2"),
        (["streams.db", "two.db", "--replace", "--update"], 2, "give --replace or --update, not both"),
        (["streams.db", "streams.db"], 2, "FROM and TO are the same: streams.db"),
        (["-", "."], 2, "FROM and TO are the same: -"),
        (["streams.db"], 2, "it needs: FROM TO [STREAM...]"),
        (["streams.db", "two.db", "--verify", "no"], 2, "--verify takes full, quick, not 'no'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    file: There, program: Program, words: list[str], code: int, error: str
) -> None:
    more = " (see streamcli clone --help)" if code == 2 else ""
    assert program.run("clone", *words) == said("", f"streamcli clone: {error}{more}\n", code)


def test_a_read_only_session_clones_nothing(file: There, program: Program) -> None:
    got = program.run("--read-only", "clone", program.db, "two.db")
    assert (got.code, b"read-only" in got.err) == (1, True)
    assert program.run("--read-only", "clone", program.db, "two.db", "--dry-run").code == 0


def test_a_user_who_may_not_is_told_in_one_line(file: There, server: Server, program: Program) -> None:
    file.call("RENAME", "a", "secret")
    url = f"redis://alice:{ALICE}@127.0.0.1:{server.port}"
    got = program.run("clone", program.db, url)
    assert (got.code, got.err.count(b"\n")) == (1, 1)
    assert got.err.startswith(b"streamcli clone: ")
    assert b"NOPERM" in got.err
    assert ALICE.encode() not in got.err


# -- faults ----------------------------------------------------------------------------------------------


def large(program: Program) -> There:
    there = fill(on_engine(program.db), ENTRIES)
    there.close()
    return there


def test_when_the_target_dies_the_same_command_goes_on(
    server: Server, proxied: Callable[[int | str], Proxy], program: Program
) -> None:
    source, proxy = large(program), proxied(server.port)
    proxy.cut(after=100_000, down=False)
    got = program.run("clone", program.db, f"127.0.0.1:{proxy.port}")
    assert (got.out, got.code) == (b"", 3)
    found = re.fullmatch(
        r"streamcli clone: the connection to 127\.0\.0\.1:\d+ was lost \(.*\); "
        r"a: ([\d,]+) entries copied up to \d+-1; the same command goes on from there\n",
        got.err.decode(),
    )
    assert found, got.err
    assert 0 < int(found[1].replace(",", "")) <= server.call("XLEN", "a:cloning") < ENTRIES
    plan = program.run("clone", program.db, f"127.0.0.1:{server.port}", "--dry-run")
    assert plan == said("a: 4,994 entries, 1 group, 2,500 pending: goes on\n")
    ok(program.run("clone", program.db, f"127.0.0.1:{server.port}"), r"a: 4,994 .*" + ALL_SAME)
    again = on_engine(program.db)
    assert look(again.backend()) == look(server_backend(server))
    again.close()
    source.close()


def server_backend(server: Server) -> Embedded:
    from streamcli.backend.remote import connect

    return connect(server.address())  # type: ignore[return-value]


def test_when_the_disk_is_full_the_same_command_goes_on(program: Program) -> None:
    large(program)
    got = program.run("clone", program.db, "two.db", before=at_most(250_000))
    assert (got.out, got.code) == (b"", 1)
    assert re.fullmatch(
        r"streamcli clone: XADD: ERR the database file cannot be read or written \(disk I/O error\); "
        r"a: [\d,]+ entries copied( up to \d+-1)?; the same command goes on from there\n"
        r"|streamcli clone: a: XADD: ERR the database file .*\n",
        got.err.decode(),
    ), got.err
    ok(program.run("clone", program.db, "two.db"), r"a: 4,994 .*" + ALL_SAME)
    first, second = on_engine(program.db), on_engine(program.home / "two.db")
    assert same(first, second)
    first.close()
    second.close()


def test_ctrl_c_stops_between_entries_and_says_where(
    server: Server, proxied: Callable[[int | str], Proxy], program: Program
) -> None:
    large(program)
    proxy = proxied(server.port)
    proxy.delay(0.05)
    running = program.start("clone", program.db, f"127.0.0.1:{proxy.port}")
    until(lambda: bool(server.call("XLEN", "a:cloning")), "some entries are copied")
    running.interrupt()
    got = running.finish()
    assert (got.out, got.code) == (b"", 130)
    assert re.fullmatch(
        r"clone: stopped; a: [\d,]+ entries copied up to \d+-1; the same command goes on from there\n",
        got.err.decode(),
    ), got.err
    proxy.delay(0)
    ok(program.run("clone", program.db, f"127.0.0.1:{proxy.port}"), r"a: 4,994 .*" + ALL_SAME)


def test_two_clones_at_once_into_one_target_do_no_harm(server: Server, program: Program) -> None:
    large(program)
    both = [program.start("clone", program.db, f"127.0.0.1:{server.port}") for _ in range(2)]
    results = [one.finish() for one in both]
    for got in results:
        assert got.code in (0, 1)
        assert got.err.count(b"\n") <= 2
        assert b"Traceback" not in got.err
    ok(program.run("clone", program.db, f"127.0.0.1:{server.port}"), r"a: 4,994 .*" + ALL_SAME)
    first = on_engine(program.db)
    assert look(first.backend()) == look(server_backend(server))
    first.close()


# -- following ------------------------------------------------------------------------------------------


def test_following_keeps_a_copy_current(there: There, program: Program, tmp_path: Path) -> None:
    fill(there)
    first = str(tmp_path / "there.db") if there.kind == "engine" else f"127.0.0.1:{there.args[-1]}"
    copy = on_engine(tmp_path / "copy.db")
    running = program.start("clone", first, tmp_path / "copy.db", "a", "--follow", "--every", "0.1")
    running.hear()
    there.call("XADD", "a", "200-1", "new", "one")
    until(lambda: copy.call("XRANGE", "a", "200-1", "200-1") != [], "a new entry is there")
    there.call("XREADGROUP", "GROUP", "g", "e", "STREAMS", "a", ">")
    there.call("XACK", "a", "g", "30-1")
    there.call("XGROUP", "CREATE", "a", "new", 0)
    there.call("XDEL", "a", "60-1")
    there.call("XTRIM", "a", "MINID", "8")
    until(lambda: same(there, copy), "all of it is there")
    running.interrupt()
    got = running.finish()
    assert got.code == 0
    assert got.err.decode() == (
        "clone: following a; Ctrl-C ends it\nclone: a: 1 entry added and 4 removed while following, up to 200-1\n"
    )
    copy.close()


def test_following_goes_on_when_the_target_is_back(
    server: Server, proxied: Callable[[int | str], Proxy], program: Program, file: There
) -> None:
    proxy = proxied(server.port)
    errors = program.home / "errors"
    words = program.command("clone", program.db, f"127.0.0.1:{proxy.port}", "--follow", "--every", "0.1")
    with errors.open("wb") as stream:
        process = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=stream, env=program.environment, cwd=program.home
        )
    until(lambda: b"following" in errors.read_bytes(), "it follows")
    proxy.refuse()
    proxy.drop()
    file.call("XADD", "a", "200-1", "new", "one")
    file.call("XACK", "a", "g", "30-1")
    until(lambda: b"; trying again\n" in errors.read_bytes(), "the loss is noticed")
    proxy.admit()
    there = server_backend(server)
    until(lambda: bool(look(there) == look(file.backend())), "all of it is there")
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE) == 0
    assert b"clone: connected again\n" in errors.read_bytes()


@pytest.mark.xdist_group("cluster")
def test_following_streams_of_several_nodes(on_cluster: There, program: Program) -> None:
    on_cluster.call("FLUSHALL")
    names = ["a", "b", "c", "d"]
    for name in names:
        fill(on_cluster, key=name)
    copy = on_engine(program.home / "copy.db")
    running = program.start(*on_cluster.args, "clone", ".", "copy.db", "--follow", "--every", "0.1")
    running.hear(4)
    for name in names:
        on_cluster.call("XADD", name, "200-1", "new", "one")
        on_cluster.call("XACK", name, "g", "30-1")
    for name in names:
        until(lambda: same(on_cluster, copy, name.encode(), name.encode()), "all of it is there")  # noqa: B023
    running.interrupt()
    assert running.finish().code == 0
    copy.close()


def test_following_ends_with_its_source(file: There, program: Program) -> None:
    running = program.start("clone", program.db, "two.db", "--follow", "--every", "0.1")
    running.hear()
    file.call("DEL", "a")
    got = running.finish()
    assert got.code == 0
    assert b"clone: a is gone from the source; the copy is left as it is\n" in got.err
