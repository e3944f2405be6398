"""The prompt: until it can be typed at, and what a key costs there."""

from __future__ import annotations

import fcntl
import gc
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from benchmarks.measure import Row, medians, milliseconds
from benchmarks.startup import environment, own_script
from streamcli.backend.embedded import Embedded, now_ms
from streamcli.shell import line as lines
from streamcli.shell.completer import complete
from streamcli.shell.hints import fit, hint
from streamcli.shell.history import History
from streamcli.shell.lexer import paint
from streamcli.shell.names import Names
from streamcli.shell.secrets import spans

_FIRST_MOST, _KEY_MOST_MS, _STRAY_MOST = 1.6, 10.0, 1.0
_COLUMNS, _ROWS = 100, 30
_LENGTH = 4000


def rows(rounds: int, keys: int, known: int) -> Iterator[Row]:
    """`known` keys in the database, `keys` keystrokes measured on each line."""
    with tempfile.TemporaryDirectory() as home:
        ours, bare = medians(rounds, lambda: _first_prompt(home), _import)
    yield Row(
        "First prompt, on a file, against python -c 'import prompt_toolkit'",
        milliseconds(ours), milliseconds(bare), f"{ours / bare:.2f}x", f"≤ {_FIRST_MOST:g}x",
        ours / bare <= _FIRST_MOST,
    )  # fmt: skip
    names = _names(known)
    gc.freeze()  # as the prompt does
    try:
        for name, text in _long_lines().items():
            times = [_key(text[:end], names) for end in _ends(text, keys)]
            p99 = statistics.quantiles(times, n=100)[98] * 1000
            yield Row(
                f"A key at the end of {_LENGTH:,} characters, {known:,} keys known: {name}",
                f"{p99:.1f} ms (median {statistics.median(times) * 1000:.1f} ms)", "", "", f"p99 ≤ {_KEY_MOST_MS:g} ms",
                p99 <= _KEY_MOST_MS,
            )  # fmt: skip
        yield _stray(names, keys)
    finally:
        names.stop()


# -- the first prompt ---------------------------------------------------------------------


def _first_prompt(home: str) -> float:
    """Seconds from the start of the process to the prompt's last character on the terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
    surroundings = {**environment(), "HOME": home, "TERM": "xterm-256color"}
    surroundings = {name: value for name, value in surroundings.items() if not name.startswith(("XDG_", "STREAMCLI_"))}
    start = time.perf_counter()
    process = subprocess.Popen(
        [*own_script(), "--db", os.path.join(home, "streams.db")],
        stdin=slave, stdout=slave, stderr=slave, env=surroundings, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    seen = b""
    try:
        while b"streams.db>" not in seen:
            seen += os.read(master, 65536)
        return time.perf_counter() - start
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _import() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import prompt_toolkit"], env=environment(), check=True)
    return time.perf_counter() - start


# -- a key --------------------------------------------------------------------------------


def _names(known: int) -> Names:
    """What a prompt knows of a database with so many streams, as soon as it knows all of it."""
    backend = Embedded(None)
    with backend.engine.batch(now_ms()):
        for number in range(known):
            backend.session.execute((b"XADD", b"stream:%06d" % number, b"1-1", b"field", b"value"), now_ms())
    names = Names(backend.browse, lambda: None)
    while len(names.keys().starting(b"stream:", known + 1)) < known:
        time.sleep(0.05)
    return names


def _long_lines() -> dict[str, str]:
    """Lines of _LENGTH characters, of the kinds that get long."""
    return {
        "XADD": "XADD stream:000001 * " + _filled("field {0} ", _LENGTH - 21),
        "XREAD": "XREAD STREAMS " + _filled("stream:{0:06} ", _LENGTH - 14),
        "XDEL": "XDEL stream:000001 " + _filled("152698481813{0:01}-0 ", _LENGTH - 19),
        "XACK of IDs of one digit": "XACK stream:000001 readers " + "1 " * ((_LENGTH - 27) // 2),
        "XADD in Cyrillic, short words": "XADD stream:000001 * " + "ж я " * ((_LENGTH - 21) // 4),
        "one value in quotes": 'XADD stream:000001 * field "' + "x y " * ((_LENGTH - 28) // 4),
        "25 quoted words and a stray quote": _stray_line(),
    }


def _filled(pattern: str, length: int) -> str:
    made: list[str] = []
    size = number = 0
    while size < length:
        made.append(pattern.format(number % 10))
        size += len(made[-1])
        number += 1
    return "".join(made)[:length]


def _stray_line() -> str:
    word = "'" + "v" * (_LENGTH // 25 - 4) + "' "
    return "XADD s * f " + word * 24 + "'stray"


def _ends(text: str, keys: int) -> Iterator[int]:
    """Where the line ends at each keystroke: it grows to its full length, again and again."""
    for number in range(keys):
        yield len(text) - number % 80


def _key(text: str, names: Names) -> float:
    """Seconds for all that is done about a key: parse, colours, hint, menu, suggestion, secrets."""
    now = now_ms()
    lines.forget()
    start = time.perf_counter()
    line = lines.read(text)
    spans(text)
    paint(line, len(text))
    found = hint(line, len(text), now)
    if found is not None:
        fit(found.usage, _COLUMNS)
    complete(line, len(text), names, now)
    _HISTORY.suggest(text)
    return time.perf_counter() - start


_HISTORY = History(None)
for _number in range(10_000):
    _HISTORY.append(f"XADD stream:{_number:06} * field {_number}")


def _stray(names: Names, keys: int) -> Row:
    """25 quoted words and a quote that is never closed, against other lines of that length."""
    stray, *others = (
        _median(partial(_key, line, names), keys) for line in (_stray_line(), *list(_long_lines().values())[:3])
    )
    with_it, without = stray, statistics.mean(others)
    ratio = with_it / without
    return Row(
        "25 quoted words and a stray quote, against the lines of XADD, XREAD and XDEL",
        milliseconds(with_it), f"{milliseconds(without)} (ours)", f"{ratio:.2f}x", f"≤ {_STRAY_MOST:g}x",
        ratio <= _STRAY_MOST,
    )  # fmt: skip


def _median(key: Callable[[], float], keys: int) -> float:
    times: Sequence[float] = [key() for _ in range(keys)]
    return statistics.median(times)
