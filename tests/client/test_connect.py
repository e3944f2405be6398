"""What `streamcli.connect` gives: a redis-py client in every way that a program may use one."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

import streamcli


@pytest.fixture
def r() -> Any:
    with streamcli.connect(decode_responses=True) as client:
        yield client


def test_it_is_redis_py_s_client() -> None:
    assert isinstance(streamcli.connect(), redis.Redis)
    assert isinstance(streamcli.aconnect(), redis.asyncio.Redis)


def test_the_package_says_what_it_has_and_nothing_else() -> None:
    assert set(dir(streamcli)) == {"OpenError", "__version__", "aconnect", "connect"}
    with pytest.raises(AttributeError, match="has no attribute 'Redis'"):
        streamcli.Redis  # type: ignore[attr-defined]  # noqa: B018


def test_two_memories_are_two_databases() -> None:
    one: Any = streamcli.connect()
    other: Any = streamcli.connect(":memory:")
    one.set("k", "v")
    assert (one.get("k"), other.get("k")) == (b"v", None)


def test_a_memory_lasts_as_long_as_its_client_and_close_only_ends_its_sessions(r: Any) -> None:
    r.set("k", "v")
    r.close()
    assert r.get("k") == "v"


def test_a_pipeline_keeps_the_memory_of_a_client_that_is_gone() -> None:
    pipe: Any = streamcli.connect().pipeline()
    gc.collect()
    assert pipe.set("k", "v").get("k").execute() == [True, b"v"]


def test_db_is_the_number_of_the_database(tmp_path: Path) -> None:
    with streamcli.connect(tmp_path / "a.db", db=3) as three, streamcli.connect(tmp_path / "a.db") as nought:
        three.set("k", "v")
        assert (three.dbsize(), nought.dbsize()) == (1, 0)


@pytest.mark.parametrize("settings", [{"db": 16}, {"client_name": "two words"}])
def test_a_setting_that_is_refused_is_told_by_the_first_command(settings: dict[str, Any]) -> None:
    client = streamcli.connect(**settings)
    for _ in range(2):
        with pytest.raises(redis.ResponseError):
            client.ping()


@pytest.mark.parametrize("settings", [{"protocol": 4}, {"durability": "none"}])
def test_a_setting_that_there_is_not_is_a_data_error(settings: dict[str, Any]) -> None:
    with pytest.raises(redis.DataError):
        streamcli.connect(**settings)


def test_what_concerns_sockets_is_no_setting() -> None:
    with pytest.raises(TypeError, match="socket_timeout"):
        streamcli.connect(socket_timeout=1)  # type: ignore[call-arg]


def test_a_client_name_and_the_library_s_are_seen_in_the_list() -> None:
    named: Any = streamcli.connect(client_name="worker")
    assert [(line["name"], line["lib-name"]) for line in named.client_list()] == [("worker", "redis-py")]


def test_each_connection_is_a_session_of_its_own(r: Any) -> None:
    with r.client() as one, r.client() as other:
        one.select(1)
        one.set("k", "v")
        assert (one.get("k"), other.get("k"), r.get("k")) == ("v", None, None)
        assert one.client_id() != other.client_id()


def test_no_more_connections_than_were_allowed() -> None:
    client: Any = streamcli.connect(max_connections=1)
    with client.client(), pytest.raises(redis.ConnectionError, match="Too many connections"):
        client.ping()
    assert client.ping()


def test_watch_is_broken_by_another_connection_and_the_transaction_tried_again(r: Any) -> None:
    tries: list[int] = []

    def double(pipe: Any) -> None:
        value = int(pipe.get("n") or 1)
        if not tries:
            r.set("n", 5)
        tries.append(value)
        pipe.multi()
        pipe.set("n", 2 * value)

    assert r.transaction(double, "n") == [True]
    assert (tries, r.get("n")) == ([1, 5], "10")


def test_a_pipeline_left_in_the_middle_leaves_no_watch_and_no_transaction(r: Any) -> None:
    with r.pipeline() as pipe:
        pipe.watch("k")
        assert r.client_list()[0]["watch"] == "1"
    assert [line["watch"] for line in r.client_list()] == ["0"] * len(r.client_list())


def test_a_pipeline_is_one_transaction_of_the_file_and_all_of_it_fails_with_it(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands in for a full disk; it is a process's, so this is done in one."""
    script = """
import resource, signal, sys, redis, streamcli
r = streamcli.connect(sys.argv[1])
r.xadd("a", {"f": "v"}, id="1-1")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
pipe = r.pipeline(transaction=False)
for at in range(2, 100):
    pipe.xadd("a", {"f": "v" * 10_000}, id=f"{at}-1")
answers = pipe.execute(raise_on_error=False)
print(len(answers), {(type(answer).__name__, str(answer)) for answer in answers})
try:
    r.xadd("a", {"f": "v" * 300_000})
except redis.ResponseError as error:
    print(error)
print(r.xrange("a"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.db")], capture_output=True, text=True, check=True, timeout=60
    )
    cannot = "the database file cannot be read or written (disk I/O error)"
    assert done.stdout.splitlines() == [f"98 {{('ResponseError', '{cannot}')}}", cannot, "[(b'1-1', {b'f': b'v'})]"]


def test_subscribing_is_refused_at_once(r: Any) -> None:
    told = "SUBSCRIBE: the embedded engine has no pub/sub; connect to a server"
    with r.pubsub() as pubsub, pytest.raises(redis.ResponseError) as raised:
        pubsub.subscribe("news")
    assert str(raised.value) == told
    assert r.ping()


def test_a_connection_takes_the_bytes_of_commands_too(r: Any) -> None:
    connection = r.connection_pool.get_connection()
    connection.send_packed_command(b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$1\r\na\r\n")
    assert (connection.can_read(), connection.read_response(), connection.read_response()) == (True, "PONG", "a")
    assert not connection.can_read()
    with pytest.raises(redis.ConnectionError):
        connection.read_response()
    r.connection_pool.release(connection)


def test_a_reply_that_nobody_read_is_not_taken_for_the_next_one_s(r: Any) -> None:
    connection = r.connection_pool.get_connection()
    connection.send_command("ECHO", "left over")
    r.connection_pool.release(connection)
    assert r.echo("mine") == "mine"


def test_bytes_that_are_no_text_are_an_error_of_their_reader_alone(r: Any) -> None:
    r.set("k", b"\xff")
    with pytest.raises(UnicodeDecodeError):
        r.get("k")
    assert r.strlen("k") == 1


def test_a_client_may_be_dropped_anywhere_even_by_the_collector_in_the_middle_of_a_command(r: Any) -> None:
    """A finalizer that runs while the engine is held must not wait for it."""
    shared = r.connection_pool._shared
    connection = r.connection_pool.make_connection()
    connection.connect()
    with shared._turn():
        connection.disconnect()
    assert r.ping()
    assert len(r.client_list()) == 1


def test_an_interruption_within_a_command_gets_an_error_and_not_a_deadlock(r: Any) -> None:
    shared = r.connection_pool._shared
    connection = r.connection_pool.get_connection()
    with shared._turn(), pytest.raises(redis.ConnectionError, match="busy"):
        connection.send_command("PING")
    r.connection_pool.release(connection)
    assert r.ping()
