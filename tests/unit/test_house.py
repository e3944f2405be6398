"""The rules of the house: imports go down, fences hold, files and functions stay short, starting is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "streamcli"
FILES = sorted(PACKAGE.rglob("*.py"))

FLOORS: tuple[set[str], ...] = (
    {"ids", "reply", "words", "text", "times", "folders", "title"},
    {"errors", "flags"},
    {"grammar", "resp", "storage"},
    {"engine"},
    {"backend", "server", "render", "docs"},
    {"tools", "client"},
    {"shell"},
    {"cli", "opening", "serving", "tooling", "settings", "completions", "__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

CLOCK = ("backend", "server", "tools", "shell")
FENCES = {  # a module from outside: where it may be imported
    "click": ("cli", "serving"),
    "prompt_toolkit": ("shell", "tools"),  # a tool that draws full screen
    "redis": ("backend/remote", "client"),
    "sqlite3": ("storage",),
    "asyncio": ("server", "client/tasks"),
    "time": CLOCK,
    "datetime": (*CLOCK, "render"),  # render writes times that it is given; it must not ask for the time
    "mistune": ("docs",),
    "dataclasses": (),  # NamedTuple and plain classes: a start pays for it
}
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager"}
LINES_MAX, FUNCTION_MAX = 500, 60
LONG = {"grammar/commands.py"}

HEAVY = {
    "prompt_toolkit", "pygments", "mistune", "redis", "asyncio", "click", "dataclasses", "inspect",
}  # fmt: skip


def place(path: Path) -> str:
    return str(path.relative_to(PACKAGE).with_suffix(""))


def room(path: Path) -> str:
    """The module or package directly under streamcli that a file belongs to."""
    return place(path).split("/", maxsplit=1)[0]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever in it, as a full dotted name."""
    package = ["streamcli", *place(path).split("/")[:-1]]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            if module == "streamcli":  # `from streamcli import errors` imports streamcli.errors
                yield from (f"streamcli.{alias.name}" for alias in node.names)
            else:
                yield module


by_file = pytest.mark.parametrize("path", FILES, ids=place)


def test_every_module_has_a_floor() -> None:
    assert {room(path) for path in FILES} - {"__init__"} <= set(FLOOR)


@by_file
def test_a_module_imports_only_from_lower_floors_or_its_own_package(path: Path) -> None:
    here = room(path)
    wrong = []
    for module in imports(path):
        there = module.split(".")[1] if module.startswith("streamcli.") else ""
        if there in ("", "__version__", here):
            continue
        if here == "__init__" or (FLOOR[there] >= FLOOR[here] and here != "__main__"):
            wrong.append(module)
    # On the top floor `cli` runs, and `opening` opens, what `settings` says, and not the other way round.
    allowed = {"streamcli.settings"} if here in ("cli", "opening", "serving", "tooling", "completions") else set()
    allowed |= {"streamcli.opening"} if here in ("cli", "serving", "tooling") else set()
    allowed |= {"streamcli.serving", "streamcli.tooling"} if here in ("cli", "completions") else set()
    allowed |= {"streamcli.cli"} if here == "serving" else set()  # how click is told of a flag
    allowed |= {"streamcli.client"} if here == "__init__" else set()  # for type checkers, and when it is asked for
    assert set(wrong) <= allowed


@by_file
def test_what_is_fenced_is_imported_only_inside_its_fence(path: Path) -> None:
    for module in imports(path):
        fence = FENCES.get(module.split(".", maxsplit=1)[0])
        if fence is not None:
            here = place(path)
            assert any(here == inside or here.startswith(f"{inside}/") for inside in fence), module


def test_render_does_not_ask_for_the_time() -> None:
    for path in PACKAGE.joinpath("render").rglob("*.py"):
        asked = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        assert not asked & {"now", "utcnow", "today", "time_ns", "monotonic"}, place(path)


@by_file
def test_no_file_is_too_long(path: Path) -> None:
    if f"{place(path)}.py" not in LONG:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX


@by_file
def test_no_function_is_too_long(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            assert node.end_lineno - first + 1 <= FUNCTION_MAX, node.name


def test_no_module_is_called_after_nothing_in_particular() -> None:
    assert not {part for path in FILES for part in place(path).split("/")} & NO_NAMES


@by_file
def test_a_module_says_what_it_is(path: Path) -> None:
    if path.name != "__init__.py" or path.read_text(encoding="utf-8").strip():
        assert ast.get_docstring(tree(path))


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh Python imports for some code, over what it imports at any start."""
    script = (
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nbefore = set(sys.modules)\n"
        f"try:\n    exec({code!r})\nexcept SystemExit as left:\n    assert left.code in (0, None), left.code\n"
        "sys.stderr.write(' '.join(sorted(set(sys.modules) - before)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in done.stderr.split()}


def test_importing_the_command_imports_nothing_heavy() -> None:
    loaded = loaded_by("import streamcli.cli")
    assert "streamcli" in loaded
    assert loaded & HEAVY == set()


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert loaded_by("import streamcli") & HEAVY == set()


def test_running_a_one_shot_imports_nothing_heavy() -> None:
    code = "sys.argv = ['streamcli', '--memory', '-e', 'PING']\nimport streamcli.cli\nstreamcli.cli.main()"
    loaded = loaded_by(code)
    assert "sqlite3" in loaded
    assert loaded & HEAVY == set()
