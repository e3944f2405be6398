"""Many clients: waits in their order, transactions, who is shown, called back and sent away."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from pathlib import Path

import pytest
import redis

from streamcli.engine import Engine
from streamcli.server.statistics import Statistics
from tests.conformance.live import Connection
from tests.conformance.wire import join
from tests.e2e.program import until
from tests.server.served import Served, argv, heard, sent

BLOCKED = 500


def replies(connection: Connection, count: int) -> list[bytes]:
    return [join(connection.receive()) for _ in range(count)]


def words(line: str) -> list[bytes]:
    return argv(*line.split(" "))


def ask(connection: Connection, line: str) -> bytes:
    return join(connection.call(argv(*line.split(" "))))


# -- those who wait ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_those_who_wait_are_served_in_the_order_in_which_they_began_to(
    kind: str, server: Served, on_file: Served
) -> None:
    served = server if kind == "memory" else on_file
    served.call("XGROUP", "CREATE", "jobs", "g", "$", "MKSTREAM")
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(contextlib.closing(served.connect())) for _ in range(BLOCKED)]
        for number, connection in enumerate(waiting):
            connection.send(words(f"XREADGROUP GROUP g c{number} COUNT 1 BLOCK 0 STREAMS jobs >"))
            if number % 50 == 0:  # a server reads from many connections in no order that it promises
                served.wait_until_blocked(number + 1)
        served.wait_until_blocked(BLOCKED)
        known = served.info("clients")
        assert (known["total_blocking_keys"], known["total_blocking_keys_on_nokey"]) == ("1", "1")
        pipeline = served.client().pipeline(transaction=False)
        for number in range(BLOCKED):
            pipeline.xadd("jobs", {"n": number}, id=f"{number + 1}-0")
        pipeline.execute()
        got = [re.findall(rb"\r\n(\d+)-0\r\n", replies(connection, 1)[0]) for connection in waiting]
    assert sorted(int(one[0]) for one in got) == list(range(1, BLOCKED + 1))
    assert int(got[0][0]) == 1


def test_one_after_the_other_they_are_served_in_their_order(server: Served) -> None:
    server.call("XGROUP", "CREATE", "jobs", "g", "$", "MKSTREAM")
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(contextlib.closing(server.connect())) for _ in range(20)]
        for number, connection in enumerate(waiting):
            connection.send(words(f"XREADGROUP GROUP g c{number} BLOCK 0 STREAMS jobs >"))
            server.wait_until_blocked(number + 1)
        pipeline = server.client().pipeline(transaction=False)
        for number in range(20):
            pipeline.xadd("jobs", {"n": number}, id=f"{number + 1}-0")
        pipeline.execute()
        got = [re.findall(rb"\r\n(\d+)-0\r\n", replies(connection, 1)[0]) for connection in waiting]
    assert got == [[b"%d" % (number + 1)] for number in range(20)]


def test_who_waits_goes_before_what_the_writer_asks_next(server: Served) -> None:
    server.call("XGROUP", "CREATE", "jobs", "g", "$", "MKSTREAM")
    with contextlib.closing(server.connect()) as waiting, server.socket() as writer:
        waiting.send(words("XREADGROUP GROUP g ann BLOCK 0 STREAMS jobs >"))
        server.wait_until_blocked(1)
        writer.sendall(sent("XADD jobs 1-1 f v", "XREADGROUP GROUP g bob STREAMS jobs >"))
        expected = b"$3\r\n1-1\r\n*-1\r\n"
        assert heard(writer, size=len(expected)) == expected
        assert b"1-1" in replies(waiting, 1)[0]


def test_a_wait_ends_with_its_time_and_what_was_sent_behind_it_follows(server: Served) -> None:
    with server.socket() as connection:
        connection.sendall(sent("XREAD BLOCK 20 STREAMS s $", "PING", "XREAD BLOCK 1 STREAMS s $", "ECHO end"))
        expected = b"*-1\r\n+PONG\r\n*-1\r\n$3\r\nend\r\n"
        assert heard(connection, size=len(expected)) == expected


def test_a_wait_in_a_transaction_is_no_wait(server: Served) -> None:
    with contextlib.closing(server.connect()) as connection:
        assert ask(connection, "MULTI") == b"+OK\r\n"
        assert ask(connection, "XREAD BLOCK 0 STREAMS s $") == b"+QUEUED\r\n"
        assert ask(connection, "EXEC") == b"*1\r\n*-1\r\n"


def test_who_reads_for_a_group_is_told_when_it_goes(server: Served) -> None:
    server.call("XGROUP", "CREATE", "jobs", "g", "$", "MKSTREAM")
    with contextlib.closing(server.connect()) as one, contextlib.closing(server.connect()) as other:
        for connection in (one, other):
            connection.send(words("XREADGROUP GROUP g c BLOCK 0 STREAMS jobs >"))
        server.wait_until_blocked(2)
        server.call("XGROUP", "DESTROY", "jobs", "g")
        for connection in (one, other):
            assert replies(connection, 1)[0].startswith(b"-NOGROUP ")


def test_who_leaves_while_waiting_takes_nothing_along(server: Served) -> None:
    server.call("XGROUP", "CREATE", "jobs", "g", "$", "MKSTREAM")
    connection = server.connect()
    connection.send(words("XREADGROUP GROUP g gone BLOCK 0 STREAMS jobs >"))
    server.wait_until_blocked(1)
    connection.close()
    server.wait_until_blocked(0)
    assert server.info("clients")["total_blocking_keys"] == "0"
    server.call("XADD", "jobs", "1-1", "f", "v")
    assert server.call("XPENDING", "jobs", "g").startswith(b"*4\r\n:0\r\n")


def test_another_process_that_writes_the_file_wakes_who_waits(on_file: Served, tmp_path: Path) -> None:
    with contextlib.closing(on_file.connect()) as waiting:
        waiting.send(words("XREAD BLOCK 0 STREAMS s $"))
        on_file.wait_until_blocked(1)
        other = Engine(str(tmp_path / "served.db"))
        other.execute([b"XADD", b"s", b"1-1", b"f", b"v"], 0)
        assert b"1-1" in replies(waiting, 1)[0]
        assert on_file.call("XLEN", "s") == b":1\r\n"
        on_file.call("XADD", "s", "1-2", "f", "v")
        assert other.execute([b"XLEN", b"s"], 0) == 2
        other.close()


def test_a_key_that_expires_under_a_group_wakes_its_readers(server: Served) -> None:
    server.call("XGROUP", "CREATE", "jobs", "g", "$", "MKSTREAM")
    with contextlib.closing(server.connect()) as waiting:
        waiting.send(words("XREADGROUP GROUP g c BLOCK 0 STREAMS jobs >"))
        server.wait_until_blocked(1)
        server.call("PEXPIRE", "jobs", "30")
        assert replies(waiting, 1)[0].startswith(b"-NOGROUP ")


# -- transactions ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_watched_key_that_another_client_changes_stops_exec(kind: str, server: Served, on_file: Served) -> None:
    served = server if kind == "memory" else on_file
    with contextlib.closing(served.connect()) as connection:
        for change, expected in (("XADD s * f v", b"*-1\r\n"), ("XLEN s", b"*1\r\n+PONG\r\n")):
            assert ask(connection, "WATCH s") == b"+OK\r\n"
            served.call(*change.split(" "))
            ask(connection, "MULTI")
            ask(connection, "PING")
            assert ask(connection, "EXEC") == expected


def test_a_watched_key_that_another_process_changes_stops_exec(on_file: Served, tmp_path: Path) -> None:
    other = Engine(str(tmp_path / "served.db"))
    with contextlib.closing(on_file.connect()) as connection:
        assert ask(connection, "WATCH s") == b"+OK\r\n"
        other.execute([b"XADD", b"s", b"1-1", b"f", b"v"], 0)
        ask(connection, "MULTI")
        ask(connection, "XADD s * f v")
        assert ask(connection, "EXEC") == b"*-1\r\n"
    other.close()


def test_what_is_collected_is_seen_by_nobody_until_exec(server: Served) -> None:
    with contextlib.closing(server.connect()) as one, contextlib.closing(server.connect()) as other:
        ask(one, "MULTI")
        ask(one, "XADD s 1-1 f v")
        assert ask(other, "XLEN s") == b":0\r\n"
        one.close()
        assert ask(other, "XLEN s") == b":0\r\n"


def test_what_runs_together_is_answered_in_order_and_in_the_protocol_that_is_spoken_by_then(server: Served) -> None:
    with server.socket() as connection:
        connection.sendall(
            sent("GET k", "HELLO 3 SETNAME me", "GET k", "CLIENT GETNAME", "MULTI", "GET k", "EXEC", "HELLO 2", "GET k")
        )
        tail = b"*1\r\n_\r\n*14\r\n"
        data = heard(connection, size=300)
        while not data.endswith(b"$-1\r\n"):
            data += heard(connection, size=1)
    assert data.startswith(b"$-1\r\n%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n")
    assert b"_\r\n$2\r\nme\r\n+OK\r\n+QUEUED\r\n" + tail in data


# -- who is there ------------------------------------------------------------------------------


def test_client_list_has_redis_fields_in_redis_order(server: Served) -> None:
    with server.socket() as connection:
        connection.sendall(sent("CLIENT SETNAME me", "SELECT 3", "CLIENT INFO"))
        data = heard(connection, size=200).decode()
        host, port = connection.getsockname()
    assert re.fullmatch(
        r"\+OK\r\n\+OK\r\n\$\d+\r\n"
        rf"id=\d+ addr={host}:{port} laddr=127\.0\.0\.1:{server.port} fd=\d+ name=me age=0 idle=0 flags=N db=3 sub=0 "
        r"psub=0 ssub=0 multi=-1 watch=0 qbuf=\d+ qbuf-free=\d+ argv-mem=\d+ multi-mem=\d+ rbs=\d+ rbp=\d+ obl=0 oll=0 "
        r"omem=0 tot-mem=\d+ events=r cmd=client\|info user=default redir=-1 resp=2 lib-name= lib-ver= "
        r"io-thread=0\n\r\n",
        data,
    )


def test_client_list_says_what_is_kept_for_a_client(server: Served) -> None:
    def kept(id: int) -> tuple[int, ...]:
        line = server.call("CLIENT", "LIST", "ID", str(id)).decode()
        names = ("qbuf", "argv-mem", "multi-mem", "omem", "tot-mem")
        return tuple(int(re.search(rf" {name}=(\d+) ", line)[1]) for name in names)  # type: ignore[index]

    server.call("XADD", "s", "1-1", "f", "v" * 1_000_000)
    with server.socket() as connection:
        connection.sendall(sent("CLIENT ID"))
        id = int(heard(connection, size=4)[1:-2])
        connection.sendall(sent("MULTI", "SET a bcd", "XLEN s")[:-3])
        until(lambda: kept(id) == (4, 0, 7, 0, 11), "half a command, and a whole one that is queued")
        connection.sendall(b"s\r\n" + sent("DISCARD", "XREAD BLOCK 0 STREAMS s $", "PING"))
        until(lambda: kept(id) == (4, len("XREADBLOCK0STREAMSs1-1"), 0, 0, 26), "one that waits, and one behind it")
        assert server.info("memory")["mem_clients_normal"] == "26"
        server.call("CLIENT", "UNBLOCK", str(id))
        connection.sendall(sent(*["XRANGE s - +"] * 10))
        until(lambda: kept(id)[3] > 0, "it does not read")
        assert kept(id)[4] >= kept(id)[3]


def test_what_is_queued_counts_as_sent(server: Served) -> None:
    server.call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
    try:
        with server.socket() as connection:
            connection.sendall(sent("MULTI", *["SET a " + "v" * 100_000] * 20))
            assert heard(connection, until_closed=True).count(b"+QUEUED\r\n") < 12
        assert server.call("EXISTS", "a") == b":0\r\n"
    finally:
        server.call("CONFIG", "SET", "client-query-buffer-limit", "1gb")


def test_rates_are_those_of_the_last_whole_second() -> None:
    counts = Statistics()
    counts.tick(5_000)
    counts.commands, counts.bytes_in, counts.bytes_out = 7, 2048, 1024
    counts.tick(5_999)
    assert counts.rates == (0, 0, 0)
    counts.tick(6_000)
    assert counts.rates == (7, 2048, 1024)
    counts.tick(9_000)
    assert counts.rates == (0, 0, 0)


def test_flags_say_what_a_client_is_doing(server: Served) -> None:
    def flags(connection: Connection, id: int) -> str:
        line = ask(connection, f"CLIENT LIST ID {id}").decode()
        match = re.search(r"flags=(\w+)", line)
        return match[1] if match else ""

    with contextlib.closing(server.connect()) as one, contextlib.closing(server.connect()) as other:
        id = int(ask(one, "CLIENT ID")[1:-2])
        assert flags(other, id) == "U"
        ask(one, "MULTI")
        assert flags(other, id) == "xU"
        ask(one, "DISCARD")
        ask(one, "WATCH s")
        ask(other, "SET s v")
        assert flags(other, id) == "dU"
        ask(one, "UNWATCH")
        one.send(argv("XREAD", "BLOCK", "0", "STREAMS", "t", "$"))
        server.wait_until_blocked(1)
        assert flags(other, id) == "bU"
        ask(other, f"CLIENT KILL ID {id}")
        assert flags(other, id) == ""


def test_clients_are_killed_by_number_address_and_age(server: Served) -> None:
    with contextlib.closing(server.connect()) as asker:
        for how in ("ID {id}", "{addr}", "ADDR {addr} ID {id}", "LADDR {laddr} ID {id}", "USER default ID {id}"):
            victim = server.socket()
            victim.sendall(sent("CLIENT ID"))
            id = int(heard(victim, size=4)[1:-2])
            host, port = victim.getsockname()
            words = how.format(id=id, addr=f"{host}:{port}", laddr=f"127.0.0.1:{server.port}")
            assert ask(asker, f"CLIENT KILL {words}") == (b"+OK\r\n" if how == "{addr}" else b":1\r\n")
            assert heard(victim, until_closed=True) == b""
            victim.close()
        own = int(ask(asker, "CLIENT ID")[1:-2])
        assert ask(asker, f"CLIENT KILL ID {own}") == b":0\r\n"
        assert ask(asker, f"CLIENT KILL ID {own} SKIPME no") == b":1\r\n"
        with pytest.raises(EOFError):
            asker.receive()


@pytest.mark.parametrize(
    ("how", "reply"),
    [
        ("", b"*-1\r\n"),
        (" TIMEOUT", b"*-1\r\n"),
        (" ERROR", b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"),
    ],
)
def test_a_wait_is_ended_from_outside(how: str, reply: bytes, server: Served) -> None:
    with contextlib.closing(server.connect()) as waiting, contextlib.closing(server.connect()) as asker:
        id = int(ask(waiting, "CLIENT ID")[1:-2])
        assert ask(asker, f"CLIENT UNBLOCK {id}{how}") == b":0\r\n"
        waiting.send(argv("XREAD", "BLOCK", "0", "STREAMS", "s", "$"))
        server.wait_until_blocked(1)
        assert ask(asker, f"CLIENT UNBLOCK {id}{how}") == b":1\r\n"
        assert replies(waiting, 1) == [reply]
        assert ask(waiting, "PING") == b"+PONG\r\n"


def test_client_reply_switches_replies_off_and_on(server: Served) -> None:
    for lines, expected in (
        (("CLIENT REPLY SKIP", "ECHO 1", "ECHO 2"), b"$1\r\n2\r\n"),
        (("CLIENT REPLY OFF", "ECHO 1", "CLIENT REPLY SKIP", "CLIENT REPLY ON", "ECHO 3"), b"+OK\r\n$1\r\n3\r\n"),
        (("CLIENT REPLY SKIP", "CLIENT REPLY ON", "ECHO 3"), b"+OK\r\n$1\r\n3\r\n"),
        (("CLIENT REPLY SKIP", "CLIENT REPLY SKIP", "ECHO 3", "ECHO 4"), b"$1\r\n4\r\n"),
    ):
        with server.socket() as connection:
            connection.sendall(sent(*lines, "QUIT"))
            assert heard(connection, until_closed=True) == expected + b"+OK\r\n"


def test_monitor_shows_what_runs(server: Served) -> None:
    with server.socket() as monitor, server.socket() as other:
        monitor.sendall(sent("MONITOR", "PING"))
        data = heard(monitor, size=12)
        other.sendall(
            sent("SELECT 3", "MULTI", "XADD q 1-1 a b", "EXEC", "CLIENT LIST", "NOSUCH", "GET", "AUTH default pw")
            + sent("HELLO 3 AUTH default x SETNAME me", "XREAD BLOCK 5 STREAMS q $")
            + b'SET k "\\x00\\n\\"\\xff"\r\n' + sent("QUIT")
        )  # fmt: skip
        heard(other, until_closed=True)
        monitor.sendall(sent("RESET", "PING"))
        while not data.endswith(b"+RESET\r\n+PONG\r\n"):
            data += heard(monitor, size=1)
        host, port = other.getsockname()
    lines = data.decode("latin-1").split("\r\n")
    shown = [line.split(" ", 1)[1] for line in lines if re.match(r"\+\d+\.\d{6} \[", line)]
    assert shown[0].endswith('] "PING"')
    assert shown[1:] == [
        f"[3 {host}:{port}] {words}"
        for words in (
            '"SELECT" "3"',
            '"MULTI"',
            '"XADD" "q" "1-1" "a" "b"',
            '"EXEC"',
            '"AUTH" "(redacted)" "(redacted)"',
            '"HELLO" "3" "AUTH" "(redacted)" "(redacted)" "SETNAME" "me"',
            '"XREAD" "BLOCK" "5" "STREAMS" "q" "$"',
            r'"SET" "k" "\x00\n\"\xff"',
            '"QUIT"',
        )
    ]


# -- what is counted ---------------------------------------------------------------------------


def test_info_counts(server: Served) -> None:
    server.call("CONFIG", "RESETSTAT")
    with server.socket() as connection:
        connection.sendall(
            sent("XADD s 1-1 f v", "XLEN s", "XLEN missing", "XADD s 1-1 f v", "XADD s", "NOSUCH", "PING")
        )
        data = b""
        while not data.endswith(b"+PONG\r\n"):
            data += heard(connection, size=1)
    commands = server.info("commandstats")
    assert re.fullmatch(
        r"calls=2,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=1,failed_calls=1", commands["cmdstat_xadd"]
    )
    assert commands["cmdstat_xlen"].startswith("calls=2,")
    assert server.info("errorstats") == {"errorstat_ERR": "count=3"}
    stats = server.info("stats")
    assert (stats["keyspace_hits"], stats["keyspace_misses"], stats["total_error_replies"]) == ("1", "1", "3")
    assert int(stats["total_commands_processed"]) >= 6
    assert int(stats["total_net_input_bytes"]) > 100
    assert server.info("keyspace") == {"db0": "keys=1,expires=0,avg_ttl=0"}
    known = server.info("server")
    assert (known["server_name"], known["tcp_port"]) == ("streamcli", str(server.port))
    assert known["process_id"] == str(server.process.pid)
    assert len(known["run_id"]) == 40


def test_sections_of_info(server: Served) -> None:
    def titles(*words: str) -> list[str]:
        return re.findall(r"^# (\w+)\r$", server.call("INFO", *words).decode(), re.MULTILINE)

    default = [
        "Server",
        "Clients",
        "Memory",
        "Persistence",
        "Stats",
        "Replication",
        "CPU",
        "Errorstats",
        "Cluster",
        "Keyspace",
    ]
    everything = [*default[:7], "Commandstats", *default[7:]]
    assert titles() == titles("default") == default
    assert titles("everything") == titles("ALL") == everything
    assert titles("clients", "stats") == ["Clients", "Stats"]
    assert titles("nosuch") == []


def test_half_a_connection_is_gone(server: Served) -> None:
    connection = server.socket()
    connection.sendall(sent("PING"))
    connection.shutdown(socket.SHUT_WR)
    assert heard(connection, until_closed=True) == b"+PONG\r\n"
    connection.close()
    until(lambda: server.info("clients")["connected_clients"] == "1", "it is gone")


def test_values_go_from_one_server_to_another(server: Served, on_file: Served) -> None:
    here, there = (one.client(decode_responses=False) for one in (server, on_file))
    for number in range(250):
        here.xadd("s", {"n": number, "blob": os.urandom(20)}, id=f"{number + 1}-0")
    here.xadd("s", {"large": b"x" * 10_000}, id="300-0")
    here.xgroup_create("s", "g", "0")
    here.xreadgroup("g", "ann", {"s": ">"}, count=7)
    here.xack("s", "g", "3-0")
    here.xdel("s", "5-0")
    data = here.dump("s")
    assert isinstance(data, bytes)
    assert there.restore("copy", 0, data)
    for line in ("XRANGE {} - +", "XPENDING {} g", "XINFO STREAM {}", "XINFO GROUPS {}"):
        ours, theirs = (one.call(*line.format(name).split(" ")) for one, name in ((server, "s"), (on_file, "copy")))
        assert ours == theirs
    there.xadd("copy", {"n": 251}, id="301-0")
    assert there.xlen("copy") == 251
    assert there.restore("copy", 60_000, here.dump("s"), replace=True)
    assert 0 < there.pttl("copy") <= 60_000
    with pytest.raises(redis.ResponseError, match="DUMP payload version or checksum are wrong"):
        there.restore("other", 0, data[:-1] + bytes([data[-1] ^ 1]))
    assert there.exists("other") == 0
