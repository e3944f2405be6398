"""Every way that the command line, the environment and the config file have of naming a server, and of being wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pytest

from tests.e2e.program import DEADLINE, ROOT, Program, Result, said, until
from tests.e2e.screen import Terminal
from tests.remote.conftest import Servers
from tests.remote.fake import SILENCE, Fake
from tests.remote.processes import ALICE, PASSWORD, Server

WRONG = "not-the-one-55"
STARS = "*" * len(PASSWORD)


@pytest.fixture
def guarded(servers: Servers) -> Server:
    """A server whose default user has a password."""
    server = servers.guarded()
    server.empty()
    return server


def configured(program: Program, text: str) -> dict[str, str]:
    """The environment in which the config file says this."""
    file = program.home / "config.toml"
    file.write_text(text)
    file.chmod(0o600)
    return {"STREAMCLI_CONFIG": str(file)}


def refused(got: Result, code: int = 3) -> str:
    """The one line that a run ended with, which holds no password."""
    assert (got.out, got.code, got.err.count(b"\n")) == (b"", code, 1)
    line = got.err.decode()
    assert not any(secret in line for secret in (PASSWORD, ALICE, WRONG))
    return line


# -- getting there ---------------------------------------------------------------------------------


def test_a_host_and_a_port_in_each_spelling(program: Program, standalone: Server) -> None:
    port = str(standalone.port)
    assert program.run("-h", "127.0.0.1", "-p", port, "XADD", "a", "1-1", "f", "v") == said("1-1\n")
    assert program.run("-p", port, "XLEN", "a") == said("1\n")
    assert program.run(f"-p{port}", "--host=localhost", "XLEN", "a") == said("1\n")
    assert program.run("-u", f"redis://127.0.0.1:{port}", "XLEN", "a") == said("1\n")
    assert program.run("--url", f"valkey://:{port}/1", "XLEN", "a") == said("0\n")
    assert standalone.call("XLEN", "a") == 1


def test_a_unix_socket_by_flag_and_by_url(program: Program, server: Server) -> None:
    assert program.run("-s", server.path, "XADD", "a", "1-1", "f", "v") == said("1-1\n")
    assert program.run("-u", f"unix://{server.path}", "XLEN", "a") == said("1\n")
    assert program.run("-u", f"unix://{server.path}?db=2", "XLEN", "a") == said("0\n")


def test_lines_a_file_and_a_pipe_go_there_too(program: Program, server: Server) -> None:
    port = str(server.port)
    assert program.run("-p", port, "-e", "XADD a 1-1 f v", "-e", "XLEN a") == said("1-1\n1\n")
    (program.home / "lines").write_text("XADD a 1-2 f v\nXLEN a\n")
    assert program.run("-p", port, "-f", "lines") == said("1-2\n2\n")
    assert program.run("-p", port, stdin=b"XADD a 1-3 f v\nXLEN a\n") == said("1-3\n3\n")


def test_a_number_of_a_database_goes_before_the_urls(program: Program, server: Server) -> None:
    assert program.run("-p", str(server.port), "-n", "3", "XADD", "a", "1-1", "f", "v") == said("1-1\n")
    url = f"redis://127.0.0.1:{server.port}/3"
    assert program.run("-u", url, "XLEN", "a") == said("1\n")
    assert program.run("-u", url, "-n", "0", "XLEN", "a") == said("0\n")
    line = refused(program.run("-p", str(server.port), "-n", "99", "PING"))
    assert line.startswith(f"streamcli: 127.0.0.1:{server.port} has no database 99")
    text = "the embedded engine has the databases 0 to 15; number 99 needs a server (see streamcli --help)"
    assert program.run("--memory", "-n", "99", "PING") == said("", f"streamcli: {text}\n", 2)


def test_a_password_by_flag_environment_and_url(program: Program, guarded: Server) -> None:
    port, there = str(guarded.port), f"127.0.0.1:{guarded.port}"
    asks = ("-p", port, "PING")
    assert program.run("-a", PASSWORD, *asks) == said("PONG\n")
    assert program.run("--pass", PASSWORD, *asks) == said("PONG\n")
    assert program.run("--user", "default", f"-a{PASSWORD}", *asks) == said("PONG\n")
    assert program.run("--user", "alice", "-a", ALICE, *asks) == said("PONG\n")
    assert program.run(*asks, env={"REDISCLI_AUTH": PASSWORD}) == said("PONG\n")
    assert program.run("-u", f"redis://{there}", "PING", env={"REDISCLI_AUTH": PASSWORD}) == said("PONG\n")
    assert program.run("-u", f"redis://:{PASSWORD}@{there}", "PING", env={"REDISCLI_AUTH": WRONG}) == said("PONG\n")
    assert program.run("-u", f"redis://alice:{ALICE}@{there}", "ACL", "WHOAMI")[1:] == (
        b"NOPERM User alice has no permissions to run the 'acl|whoami' command\n", 1,
    )  # fmt: skip
    assert program.run("-u", f"redis://:{WRONG}@{there}", "-a", PASSWORD, "PING") == said("PONG\n")
    assert program.run("-u", f"redis://{there}?username=alice&password={ALICE}", "PING") == said("PONG\n")


def test_without_or_with_a_wrong_password_there_is_one_line_that_does_not_repeat_it(
    program: Program, guarded: Server
) -> None:
    port, there = str(guarded.port), f"127.0.0.1:{guarded.port}"
    assert program.run("-p", port, "PING") == said("", "NOAUTH Authentication required.\n", 1)
    line = f"streamcli: {there} does not let the default user in with this password: "
    for way in (("-a", WRONG, "-p", port), ("-u", f"redis://:{WRONG}@{there}")):
        assert refused(program.run(*way, "PING")).startswith(line)
    assert refused(program.run("-p", port, "PING", env={"REDISCLI_AUTH": WRONG})).startswith(line)
    # Nobody goes on as the default user who has said another.
    line = f"streamcli: {there} does not let user alice in without a password (--askpass asks for one): "
    assert refused(program.run("--user", "alice", "-p", port, "PING")).startswith(line)


def test_the_url_of_the_environment_is_used_when_nothing_else_names_a_place(program: Program, server: Server) -> None:
    env = {"STREAMCLI_URL": f"redis://127.0.0.1:{server.port}/1"}
    assert program.run("XADD", "a", "1-1", "f", "v", env=env) == said("1-1\n")
    assert program.run("-n", "1", "XLEN", "a", env=env) == said("1\n")
    assert program.run("-s", server.path, "XLEN", "a", env=env) == said("0\n")
    assert program.run("--memory", "XLEN", "a", env=env) == said("0\n")
    assert program.run("--db", program.db, "XLEN", "a", env=env) == said("0\n")
    env |= configured(program, "[profiles.own]\nmemory = true\n")
    assert program.run("@own", "XLEN", "a", env=env) == said("0\n")
    assert not program.default_db.exists()


def test_a_profile_names_a_server_by_its_url_or_by_its_parts(program: Program, guarded: Server) -> None:
    env = configured(
        program,
        f"""
        [profiles.url]
        url = "redis://:{PASSWORD}@127.0.0.1:{guarded.port}/2"
        [profiles.parts]
        host = "127.0.0.1"
        port = {guarded.port}
        password = "{PASSWORD}"
        number = 2
        [profiles.socket]
        socket = "{guarded.path}"
        user = "default"
        password = "{PASSWORD}"
        read-only = true
        """,
    )
    assert program.run("@url", "XADD", "a", "1-1", "f", "v", env=env) == said("1-1\n")
    assert program.run("@parts", "XLEN", "a", env=env) == said("1\n")
    assert program.run("-n", "0", "@parts", "XLEN", "a", env=env) == said("0\n")
    assert program.run("@socket", "XLEN", "a", env=env) == said("0\n")
    assert program.run("@socket", "DEL", "a", env=env).code == 1
    assert refused(program.run("-a", WRONG, "@parts", "PING", env=env)).startswith("streamcli: 127.0.0.1:")


def test_tls_by_flags_url_and_profile(program: Program, servers: Servers) -> None:
    server, ca = servers.tls(), servers.certificates.ca
    port = str(server.tls_port)
    assert program.run("-p", port, "--tls", "--cacert", str(ca), "PING") == said("PONG\n")
    assert program.run("-u", f"rediss://127.0.0.1:{port}?cacert={ca}", "PING") == said("PONG\n")
    assert program.run("-u", f"rediss://127.0.0.1:{port}", "--insecure", "PING") == said("PONG\n")
    env = configured(program, f'[profiles.safe]\nhost = "127.0.0.1"\nport = {port}\ntls = true\ncacert = "{ca}"\n')
    assert program.run("@safe", "PING", env=env) == said("PONG\n")
    refused(program.run("-p", port, "--tls", "PING"))
    refused(program.run("-p", port, "--tls", "--cacert", str(ca), "--sni", "other.example", "PING"))
    refused(program.run("-p", port, "--tls", "--cacert", str(program.home / "missing"), "PING"))


# -- what is spoken --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "protocol"),
    [
        ((), b"2"),
        (("--format", "raw"), b"2"),
        (("--format", "classic"), b"2"),
        (("--format", "json"), b"3"),
        (("--format", "tree"), b"3"),
        (("--format", "csv"), b"3"),
        (("-2", "--format", "json"), b"2"),
        (("-3",), b"3"),
    ],
)
def test_raw_and_classic_one_shots_speak_resp2_and_all_else_resp3(
    words: tuple[str, ...], protocol: bytes, program: Program, fake: Callable[..., Fake]
) -> None:
    server = fake()
    assert program.run("-p", str(server.port), *words, "PING").code == 0
    assert [command[:2] for command in server.commands if command[0] == b"HELLO"] == [[b"HELLO", protocol]]


# -- going wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("-u", f"redis://u:{WRONG}/x@h"), "the URL cannot be used: there is an @ behind the host; in a user or a "
         "password write @ as %40, / as %2F, ? as %3F, # as %23 and % as %25"),
        (("-u", f"h:{WRONG}"), "the URL cannot be used: a URL begins with redis://, rediss://, valkey://, valkeys://, "
         "unix://, redis+sentinel:// or redis+cluster://"),
        (("-u", f"redis://:{WRONG}@h", "-h", "x"), "give -u or -h, not both"),
        (("--memory", "-a", WRONG), "give --memory or -a, not both"),
        (("-a", WRONG, "--askpass"), "give -a or --askpass, not both"),
        (("-h", "x", "--durability", "full"), "--durability is for streams of your own, and x:6379 is a server"),
        (("--timeout", "3"), "--timeout is for a server; name one, by -h or -u"),
        (("-h", "x", "--cacert", "y"), "--cacert needs --tls"),
        (("-a", WRONG, "-p", "x"), "Invalid value for '-p' / '--port': 'x' is not a valid integer range"),
        (("-a", WRONG, "-h", "x", "--timeout", "x"), "Invalid value for '--timeout': 'x' is not a number of seconds "
         "such as 2.5"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(words: tuple[str, ...], line: str, program: Program) -> None:
    assert refused(program.run(*words, "PING"), 2) == f"streamcli: {line} (see streamcli --help)\n"


def test_nobody_there_is_one_line(program: Program) -> None:
    assert refused(program.run("-p", "1", "PING")).startswith("streamcli: ")
    assert refused(program.run("-s", str(program.home / "none"), "PING")).startswith("streamcli: ")
    assert refused(program.run("-h", "no.such.host.invalid", "PING")).startswith("streamcli: ")
    assert refused(program.run("-h", "a..b", "PING")).startswith("streamcli: ")
    assert refused(program.run("-h", "x" * 300, "PING")).startswith("streamcli: ")


# -- secrets ---------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="this system does not show what was typed so")
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["-a", PASSWORD, "-p{port}"], ["-a", STARS, "-p{port}"]),
        ([f"-a{PASSWORD}", "-p{port}"], ["-a" + STARS, "-p{port}"]),
        ([f"--pass={PASSWORD}", "-p{port}"], ["--pass=" + STARS, "-p{port}"]),
        (["-u", f"redis://u:{PASSWORD}@127.0.0.1:{{port}}/2"], ["-u", f"redis://u:{STARS}@127.0.0.1:{{port}}/2"]),
        ([f"--url=redis://:{PASSWORD}@127.0.0.1:{{port}}"], [f"--url=redis://:{STARS}@127.0.0.1:{{port}}"]),
        (["-u", f"redis://127.0.0.1:{{port}}?password={PASSWORD}"],
         ["-u", "redis://127.0.0.1:{port}?" + "*" * len(f"password={PASSWORD}")]),
    ],
)  # fmt: skip
def test_a_password_vanishes_from_the_title_of_the_process(
    words: list[str], shown: list[str], program: Program, fake: Callable[..., Fake]
) -> None:
    server = fake()
    running = program.start(*(word.format(port=server.port) for word in words))
    running.say("PING")
    running.hear()
    title = Path(f"/proc/{running.process.pid}/cmdline").read_bytes()
    assert title.split(b"\0")[-len(words) - 1 : -1] == [word.format(port=server.port).encode() for word in shown]
    assert running.finish().code == 0
    assert any(PASSWORD.encode() in command for command in server.commands)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="this system does not show what was typed so")
def test_the_password_of_a_command_vanishes_too(program: Program, fake: Callable[..., Fake]) -> None:
    server = fake({"PING": SILENCE})
    lines = [f"auth alice {PASSWORD}", f"HELLO 3 AUTH alice '{PASSWORD}'", "PING pass"]
    running = program.start("-p", str(server.port), *(word for line in lines for word in ("-e", line)))
    until(lambda: "PING" in server.names(), "that it waits for a reply")
    title = Path(f"/proc/{running.process.pid}/cmdline").read_bytes()
    assert title.split(b"\0")[-7:-1] == [
        b"-e", f"auth ***** {STARS}".encode(), b"-e", f"HELLO 3 AUTH ***** '{STARS}'".encode(), b"-e", b"PING pass",
    ]  # fmt: skip
    running.stop()


def on_terminal(program: Program, *words: str, **env: str) -> pexpect.spawn:
    return pexpect.spawn(
        sys.executable, ["-m", "streamcli", *words], env={**program.environment, "TERM": "xterm", **env},
        cwd=str(program.home), timeout=DEADLINE, encoding="utf-8", dimensions=(24, 100),
    )  # fmt: skip


def test_askpass_asks_on_the_terminal_and_shows_nothing(program: Program, guarded: Server) -> None:
    child = on_terminal(program, "--askpass", "-p", str(guarded.port), "--format", "raw", "PING")
    child.expect_exact(f"Password for the default user at 127.0.0.1:{guarded.port}: ")
    child.waitnoecho()
    child.sendline(PASSWORD)
    child.expect(pexpect.EOF)
    assert child.before.split() == ["PONG"]
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x04", 2)])
def test_who_does_not_answer_leaves_cleanly(key: str, code: int, program: Program, guarded: Server) -> None:
    child = on_terminal(program, "--askpass", "--user", "alice", "-p", str(guarded.port), "PING")
    child.expect_exact(f"Password for alice at 127.0.0.1:{guarded.port}: ")
    child.waitnoecho()
    child.send(key)
    child.expect(pexpect.EOF)
    assert "Traceback" not in child.before
    assert ("no password was given" in child.before) == (code == 2)
    child.close()
    assert child.exitstatus == code


@pytest.mark.parametrize("way", ["flag", "url", "profile"])
def test_the_prompt_asks_for_the_password_of_a_user_when_none_is_known(
    way: str, program: Program, server: Server
) -> None:
    env = configured(program, f'[profiles.there]\nport = {server.port}\nuser = "alice"\n')
    words = {
        "flag": ["--user", "alice", "-p", str(server.port)],
        "url": ["-u", f"redis://alice@127.0.0.1:{server.port}"],
        "profile": ["@there"],
    }[way]
    with Terminal(program, *words, db=False, env=env) as seen:
        seen.shows(f"Password for alice at 127.0.0.1:{server.port}:")
        seen.type(f"{ALICE}\r")
        seen.prompts(f"alice@127.0.0.1:{server.port}> ")
        assert ALICE not in seen.text
        seen.type("exit\r")


def test_a_profile_can_ask_for_its_password(program: Program, server: Server) -> None:
    env = configured(program, f'[profiles.there]\nport = {server.port}\nuser = "alice"\naskpass = true\n')
    child = on_terminal(program, "@there", "PING", **env)
    child.expect_exact(f"Password for alice at 127.0.0.1:{server.port}: ")
    child.waitnoecho()
    child.sendline(ALICE)
    child.expect_exact("PONG")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_one_shot_does_not_ask_for_the_password_of_a_user(program: Program, server: Server) -> None:
    child = on_terminal(program, "--user", "alice", "-p", str(server.port), "PING")
    child.expect_exact("does not let user alice in without a password")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3


@pytest.mark.parametrize(("keys", "shown"), [(f"{ALICE}\r", "now at 127.0.0.1:"), ("\x03", "no password was given")])
def test_a_profile_that_says_so_is_asked_for_its_password_at_the_prompt_too(
    keys: str, shown: str, program: Program, server: Server
) -> None:
    env = configured(program, f'[profiles.there]\nport = {server.port}\nuser = "alice"\naskpass = true\n')
    with Terminal(program, "--memory", db=False, env=env) as seen:
        seen.prompts("memory> ")
        seen.type(".connect @there\r")
        seen.shows(f"Password for alice at 127.0.0.1:{server.port}:")
        seen.type(keys)
        seen.shows(shown)
        assert ALICE not in seen.text
        seen.type("exit\r")


def test_askpass_without_a_terminal_is_one_line(program: Program) -> None:
    done = subprocess.run(
        program.command("--askpass", "-p", "1", "PING"), input=b"secret\n", capture_output=True,
        env=program.environment, cwd=program.home, start_new_session=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == (b"", 2)
    assert done.stderr == (
        b"streamcli: --askpass needs a terminal; there is REDISCLI_AUTH, too (see streamcli --help)\n"
    )


def test_connect_goes_to_servers_and_back_and_keeps_no_password(
    program: Program, guarded: Server, server: Server
) -> None:
    env = configured(program, f'[profiles.there]\nsocket = "{server.path}"\n')
    state = program.home / "state"
    with Terminal(
        program, "--memory", db=False, columns=140, rows=40, env=env | {"XDG_STATE_HOME": str(state)}
    ) as seen:
        seen.prompts("memory> ")
        for target, shown in [
            (f"127.0.0.1:{server.port}", f"now at 127.0.0.1:{server.port}"),
            (f"redis://:{PASSWORD}@127.0.0.1:{guarded.port}/1", f"now at 127.0.0.1:{guarded.port}"),
            (f"redis://:{WRONG}@127.0.0.1:{guarded.port}", "does not let the default user in"),
            (f"redis://u:{WRONG}/@h", "the URL cannot be used"),
            ("@there", f"now at {server.path}"),
            ("127.0.0.1:1", "nothing listens at 127.0.0.1:1"),
            (":memory:", "now at memory"),
        ]:
            seen.type(f".connect {target}\r")
            seen.shows(shown)
        assert ", which is new" not in seen.text
        seen.type("exit\r")
        assert seen.leave() == 0
        assert not any(secret.encode() in seen.raw for secret in (PASSWORD, WRONG))
    kept = "".join(file.read_text() for file in state.rglob("*") if file.is_file())
    assert ".connect @there" in kept
    assert not any(secret in kept for secret in (PASSWORD, WRONG))


# -- what it costs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "there", "not_there"),
    [
        (["--memory", "PING"], {"sqlite3", "streamcli.engine"}, {"redis", "streamcli.backend.remote", "ssl"}),
        (["-p", "{port}", "PING"], {"redis", "streamcli.backend.remote"},
         {"sqlite3", "streamcli.engine", "streamcli.storage", "click", "getpass", "ctypes"}),
    ],
)  # fmt: skip
def test_a_run_imports_what_its_place_needs_and_no_more(
    words: list[str], there: set[str], not_there: set[str], program: Program, fake: Callable[..., Fake]
) -> None:
    server = fake()
    script = (
        "import sys\nfrom streamcli.cli import main\n"
        "try:\n    main()\nfinally:\n    sys.stderr.write(' '.join(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *(word.format(port=server.port) for word in words)],
        env=program.environment, capture_output=True, text=True, cwd=ROOT, timeout=DEADLINE, check=True,
    )  # fmt: skip
    loaded = set(done.stderr.split())
    assert (done.stdout, there - loaded, not_there & loaded) == ("PONG\n", set(), set())
