"""How a server starts, what it refuses, and how it ends."""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest

from streamcli.server.serve import woken_by_signals
from tests.e2e.program import DEADLINE, ROOT
from tests.server.served import Served, argv, heard, sent, serving


def refused(*flags: str | Path, environment: dict[str, str] | None = None) -> tuple[str, str, int]:
    """What a server that does not start has said, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "streamcli", "serve", *map(str, flags)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout, done.stderr, done.returncode


def test_one_line_says_where_it_is(server: Served) -> None:
    assert re.fullmatch(r"Ready on 127\.0\.0\.1:\d+ and /.*/s\n", server.ready)
    with server.socket() as connection:
        connection.sendall(sent("PING"))
        assert heard(connection, size=7) == b"+PONG\r\n"
    assert server.call("PING") == b"+PONG\r\n"


def test_a_unix_socket_alone_is_in_place_of_the_port(tmp_path: Path) -> None:
    path = tmp_path / "only"
    words = [sys.executable, "-m", "streamcli", "serve", "--memory", "--unixsocket", str(path)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == f"Ready on {path}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    process.send_signal(signal.SIGINT)
    assert (process.wait(DEADLINE), process.stdout.read(), path.exists()) == (0, "", False)
    process.stdout.close()


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_takes_its_socket_away(ended_by: int, tmp_path: Path) -> None:
    path = tmp_path / "served.db"
    with serving("--db", path) as server:
        server.call("XADD", "s", "1-1", "f", "v")
        with server.socket() as idle, server.socket() as waiting:
            waiting.sendall(sent("XREAD BLOCK 0 STREAMS s $"))
            server.wait_until_blocked(1)
            assert server.end(ended_by) == 0
            assert (heard(idle, until_closed=True), heard(waiting, until_closed=True)) == (b"", b"")
        assert not os.path.lexists(server.path)
        assert server.log[-1].endswith(" ended")
    with serving("--db", path) as server:
        assert server.call("XLEN", "s") == b":1\r\n"


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT])
def test_signals_that_follow_the_one_that_ends_it_change_nothing(ended_by: int, tmp_path: Path) -> None:
    with serving("--db", tmp_path / "served.db") as server:
        while server.process.poll() is None:  # `timeout` sends two; so many meet every moment of the end
            server.process.send_signal(ended_by)
        assert server.wait() == 0
        assert not os.path.lexists(server.path)
    assert server.log[-1].endswith(" ended")


@pytest.mark.parametrize("words", [("SHUTDOWN",), ("SHUTDOWN", "NOSAVE", "NOW", "FORCE"), ("shutdown", "save")])
def test_shutdown_is_answered_by_the_end(words: tuple[str, ...]) -> None:
    with serving() as server, server.socket() as connection:
        connection.sendall(sent("PING", " ".join(words), "PING"))
        assert heard(connection, until_closed=True) == b"+PONG\r\n"
        assert server.wait() == 0


def test_shutdown_now_waits_for_nobody_to_read() -> None:
    """Otherwise a client that does not read is given a moment; here it is one that no test lives to see the end of."""
    patient = (
        "from streamcli.server import client, serve; client._LAST_WORDS_SECONDS = serve._GOODBYE_SECONDS = 1e9; "
        "serve.serve(serve.Place(port=0))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", patient], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    where = ("127.0.0.1", int(process.stdout.readline().rpartition(":")[2]))
    try:
        with socket.create_connection(where) as deaf, socket.create_connection(where) as connection:
            deaf.sendall(sent("XADD s 1-1 f " + "v" * 1_000_000) + sent("XRANGE s - +") * 50)
            heard(deaf, size=10)
            connection.sendall(sent("SHUTDOWN NOW"))
            assert heard(connection, until_closed=True) == b""
            assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait(DEADLINE)
        process.stdout.close()


def test_a_socket_that_a_killed_server_has_left_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "left"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    words = [sys.executable, "-m", "streamcli", "serve", "--memory", "--unixsocket", str(path)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == f"Ready on {path}\n"
    process.terminate()
    assert process.wait(DEADLINE) == 0
    process.stdout.close()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    """connect() is refused by a plain file just as by a socket that nobody listens at."""
    (tmp_path / "file").write_text("kept")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    for name in ("file", "link", "folder"):
        path = tmp_path / name
        said = f"streamcli: cannot listen on {path}: there is a file of that name\n"
        assert refused("--memory", "--unixsocket", path) == ("", said, 3)
    assert (tmp_path / "file").read_text() == "kept"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder").is_dir()


def test_what_another_one_uses_is_not_taken(server: Served) -> None:
    said = f"streamcli: cannot listen on {server.path}: another server is using it\n"
    assert refused("--memory", "--unixsocket", server.path) == ("", said, 3)
    said = f"streamcli: cannot listen on 127.0.0.1:{server.port}: address already in use\n"
    assert refused("--memory", "--port", str(server.port)) == ("", said, 3)
    assert server.call("PING") == b"+PONG\r\n"


def test_a_database_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, and longer than a header is")
    said = f"streamcli: cannot open {tmp_path / 'text'}: it is not a SQLite file\n"
    assert refused("--port", "0", "--db", tmp_path / "text") == ("", said, 3)
    said = f"streamcli: cannot open {tmp_path / 'no/file'}: no such file or directory\n"
    assert refused("--port", "0", "--db", tmp_path / "no/file") == ("", said, 3)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_machines_need_a_password(host: str) -> None:
    out, said, code = refused("--memory", "--port", "0", "--host", host)
    assert (out, code) == ("", 2)
    assert said.startswith(f"streamcli serve: {host} can be reached from other machines, and there is no password")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--port", "70000"), "Invalid value for '--port': 70000 is not in the range 0<=x<=65535"),
        (("--nonsense",), "No such option '--nonsense'"),
        (("now",), "serve takes flags alone, and 'now' is none"),
        (("--db", "a", "--memory"), "give --db or --memory, not both"),
        (("--memory", "--durability", "full"), "--durability is for streams in a file, and --memory keeps none"),
        (("--password", "a", "--askpass"), "give --password or --askpass, not both"),
        (("--host", ""), "--host needs a value"),
    ],
)
def test_wrong_usage_is_one_line(flags: tuple[str, ...], said: str) -> None:
    out, error, code = refused(*flags)
    assert (out, code, error.count("\n")) == ("", 2, 1)
    assert error.startswith(f"streamcli serve: {said}")


def test_flags_of_the_shell_do_not_go_before_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streamcli", "-p", "7000", "serve"],
        cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.startswith("streamcli serve: the flags of serve stand behind it")


def test_help_is_there() -> None:
    out, error, code = refused("--help")
    assert (error, code) == ("", 0)
    assert "--unixsocket FILE" in out


# -- passwords -----------------------------------------------------------------------------


def test_without_the_password_nothing_is_answered() -> None:
    with serving(environment={"STREAMCLI_PASSWORD": "secret"}) as server, server.socket() as connection:
        noauth = b"-NOAUTH Authentication required.\r\n"
        wrong = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
        connection.sendall(sent("XLEN s", "AUTH wrong", "AUTH default wrong", "AUTH other secret", "NOSUCH", "MULTI"))
        unknown = b"-ERR unknown command 'NOSUCH', with args beginning with: \r\n"
        expected = noauth + wrong * 3 + unknown + noauth
        assert heard(connection, size=len(expected)) == expected
        long = "XADD s * " + "f v " * 10
        connection.sendall(sent("AUTH secret", long.strip()))  # what is too long for a stranger is not for a friend
        assert heard(connection, size=10).startswith(b"+OK\r\n$")
        connection.sendall(sent("RESET", "XLEN s"))
        assert heard(connection, size=len(noauth) + 8).endswith(b"+RESET\r\n" + noauth)
        connection.sendall(b"*11\r\n")
        assert heard(connection, until_closed=True) == b"-ERR Protocol error: unauthenticated multibulk length\r\n"


def test_a_password_is_changed_for_those_who_come_later() -> None:
    with serving("--password", "first") as server:
        client = server.client(password="first")
        client.config_set("requirepass", "second")
        assert client.ping()
        assert server.client(password="second").ping()
        assert client.config_get("requirepass") == {"requirepass": "second"}
        client.config_set("requirepass", "")
        assert server.client().ping()


def test_a_server_that_all_can_reach_keeps_a_password() -> None:
    with serving("--host", "0.0.0.0", environment={"STREAMCLI_PASSWORD": "secret"}) as server:
        with pytest.raises(Exception, match="other machines can reach this server, so it must keep a password"):
            server.client(password="secret").config_set("requirepass", "")
        server.client(password="secret").config_set("requirepass", "other")


def test_the_password_is_asked_for_on_the_terminal_and_not_shown(tmp_path: Path) -> None:
    words = ["-m", "streamcli", "serve", "--memory", "--port", "0", "--askpass"]
    child = pexpect.spawn(sys.executable, words, cwd=ROOT, timeout=DEADLINE, encoding="utf-8", dimensions=(24, 100))
    child.expect("Password for .*: ")
    child.waitnoecho()
    child.sendline("secret")
    child.expect(r"Ready on 127\.0\.0\.1:(\d+)")
    assert "secret" not in child.before
    with socket.create_connection(("127.0.0.1", int(child.match[1]))) as connection:
        expected = b"-NOAUTH Authentication required.\r\n+OK\r\n:0\r\n"
        connection.sendall(sent("XLEN s", "AUTH secret", "XLEN s"))
        assert heard(connection, size=len(expected)) == expected
    child.kill(signal.SIGTERM)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x04", 2), ("\r", 2)])
def test_without_an_answer_for_the_password_there_is_no_server(key: str, code: int) -> None:
    words = ["-m", "streamcli", "serve", "--memory", "--port", "0", "--askpass"]
    child = pexpect.spawn(sys.executable, words, cwd=ROOT, timeout=DEADLINE, encoding="utf-8", dimensions=(24, 100))
    child.expect("Password for .*: ")
    child.waitnoecho()
    child.send(key)
    child.expect(pexpect.EOF)
    assert "Traceback" not in child.before
    assert "Ready" not in child.before
    child.close()
    assert child.exitstatus == code


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says where a process's words are")
def test_the_password_is_not_in_the_process_list() -> None:
    with serving("--password", "hunter22") as server:
        words = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        assert b"hunter22" not in words
        assert b"--password\0********\0" in words


# -- limits ----------------------------------------------------------------------------------


def test_one_client_too_many_is_told_so() -> None:
    with serving("--maxclients", "2") as server, server.socket() as first, server.socket() as second:
        for connection in (first, second):
            connection.sendall(sent("PING"))
            assert heard(connection, size=7) == b"+PONG\r\n"
        with server.socket() as third:
            assert heard(third, until_closed=True) == b"-ERR max number of clients reached\r\n"
        first.sendall(sent("CONFIG SET maxclients 3", "INFO stats"))
        assert heard(first, size=500).count(b"rejected_connections:1\r\n") == 1
        assert server.call("PING") == b"+PONG\r\n"


@pytest.mark.skipif(os.name != "posix", reason="limits of files are Unix's")
def test_the_limit_of_files_is_raised_or_heeded() -> None:
    with serving(files=200) as server:
        assert server.info("clients")["maxclients"] == "168"
        said = b"The operating system is not able to handle the specified number of clients, try with 168\r\n"
        assert server.call("CONFIG", "SET", "maxclients", "5000").endswith(said)


def test_settings_are_those_of_the_server(server: Served) -> None:
    connection = server.connect()
    for name, value in (
        ("timeout", "7"), ("maxclients", "500"), ("proto-max-bulk-len", "2000000"), ("timeout", "0"),
        ("client-query-buffer-limit", "3000000"), ("durability", "normal"),
        ("client-output-buffer-limit", "normal 1000000 0 0 slave 1 2 3 pubsub 4 5 6"),
    ):  # fmt: skip
        assert connection.call(argv("CONFIG", "SET", name, value)) == b"+OK\r\n"
        reply = connection.call(argv("CONFIG", "GET", name))
        assert not isinstance(reply, bytes)
        assert reply.items[1] == b"$%d\r\n%b\r\n" % (len(value), value.encode())
    for name, value in (
        ("maxclients", "10000"), ("proto-max-bulk-len", "512mb"), ("client-query-buffer-limit", "1gb"),
        ("client-output-buffer-limit", "normal 256mb 0 0"),
    ):  # fmt: skip
        assert connection.call(argv("CONFIG", "SET", name, value)) == b"+OK\r\n"
    reply = connection.call(argv("CONFIG", "GET", "port"))
    assert not isinstance(reply, bytes)
    assert reply.items[1] == b"$%d\r\n%d\r\n" % (len(str(server.port)), server.port)
    connection.close()


def test_a_signal_wakes_a_loop_that_is_about_to_sleep() -> None:
    loop = asyncio.new_event_loop()
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        with woken_by_signals(loop) as heard:
            assert select.select([heard], [], [], 0)[0] == []
            signal.raise_signal(signal.SIGTERM)
            assert select.select([heard], [], [], 0)[0] == [heard]
            loop.run_until_complete(asyncio.sleep(0))
            loop.run_until_complete(asyncio.sleep(0))
            assert select.select([heard], [], [], 0)[0] == []
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(signal.SIGTERM, before)
        loop.close()
