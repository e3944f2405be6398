"""`generate`: demo streams."""

from __future__ import annotations

import pytest

from streamcli.flags import UsageError
from streamcli.tools import shapes
from streamcli.tools.job import ToolError, now_ms
from tests.e2e.program import Program, said
from tests.tools.desk import Desk, There


def test_a_past_of_the_asked_length(there: There, program: Program) -> None:
    done = program.run(*there.args, "generate", "orders", "-n", "2000", "--span", "2d", "--groups")
    assert done == said("added 2,000 entries to orders, with the groups billing, shipping and audit\n")
    assert there.call("XLEN", "orders") == 2000
    first, last = (int(there.call(name, "orders", *ends, "COUNT", 1)[0][0].split(b"-")[0])
                   for name, ends in (("XRANGE", "-+"), ("XREVRANGE", "+-")))  # fmt: skip
    assert now_ms() - 2 * 86_400_000 - 60_000 <= first < last <= now_ms()
    assert there.call("XPENDING", "orders", "billing")[0] == 0
    assert there.call("XPENDING", "orders", "shipping")[0] == 100
    assert there.call("XPENDING", "orders", "audit")[0] == 0


def test_the_same_seed_makes_the_same(there: There) -> None:
    for name in ("a", "b"):
        assert Desk(there.backend()).run("generate", name, "--seed", "7", "-n", "50", "--shape", "logs") == 0
    one, two = ([entry[1] for entry in there.call("XRANGE", name, "-", "+")] for name in ("a", "b"))
    assert one == two
    assert one[0][::2] == [b"level", b"service", b"message", b"request"]


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_the_name_chooses_the_shape(there: There, shape: str) -> None:
    assert Desk(there.backend()).run("generate", f"my-{shape}", "-n", "3", "--seed", "1") == 0
    assert Desk(there.backend()).run("generate", "other", "-n", "3", "--seed", "1", "--shape", shape) == 0
    mine, other = ([entry[1] for entry in there.call("XRANGE", name, "-", "+")] for name in (f"my-{shape}", "other"))
    assert mine == other


def test_live_entries_have_ids_of_now(there: There) -> None:
    before = now_ms()
    desk = Desk(there.backend())
    assert desk.run("generate", "clicks", "--live", "--rate", "1000/s", "-n", "20") == 0
    assert desk.text == "added 20 entries to clicks\n"
    assert int(there.call("XRANGE", "clicks", "-", "+")[0][0].split(b"-")[0]) >= before - 2


def test_nothing_is_added_in_a_dry_run(there: There) -> None:
    desk = Desk(there.backend())
    assert desk.run("generate", "a", "-n", "10", "--dry-run") == 0
    assert desk.text.startswith("10 entries would be added to a, from ")
    assert there.call("EXISTS", "a") == 0


def test_a_stream_that_has_newer_entries_is_left_alone(there: There) -> None:
    there.call("XADD", "a", "*", "f", "v")
    with pytest.raises(ToolError, match=r"^a has newer entries \(its last ID is [0-9]+-0\); a shorter --span, or "):
        Desk(there.backend()).run("generate", "a")
    there.call("SET", "s", "v")
    with pytest.raises(ToolError, match=r"^s is a string, no stream$"):
        Desk(there.backend()).run("generate", "s")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["a", "--live", "--span", "1d"], "--live makes entries from now on; --span and --groups are about the past"),
        (["a", "--rate", "5"], "--rate is for --live; the past is made by -n and --span"),
        (["a", "--live", "--rate", "fast"], "--rate takes entries a second, or a minute: 10/s, 600/m, not 'fast'"),
        (["a", "--live", "--rate", "nan"], "--rate takes entries a second, or a minute: 10/s, 600/m, not 'nan'"),
        (["a", "--span", "x"], "--span takes a length of time such as 1d or 6h, not 'x'"),
    ],
)
def test_wrong_usage(there: There, words: list[str], text: str) -> None:
    with pytest.raises(UsageError) as wrong:
        Desk(there.backend()).run("generate", *words)
    assert str(wrong.value) == text
