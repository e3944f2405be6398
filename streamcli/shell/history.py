"""Lines that were typed, kept from one session to the next, and which of them goes on like this one.

The file is text, one entry after another, as prompt_toolkit keeps it too:

    # 2026-11-20 10:00:00
    +XADD s * city "New
    +York"

Lines that begin with `+` are the entry's own; anything else stands between
entries and is passed over. What is not UTF-8 is kept byte for byte. Shells that
run at once add to the same file, each entry by one write; each reads it once.
Nothing here raises: when the file is no good, lines are kept in memory, and
`trouble` says why. Does not know who asks, nor how lines are edited.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import compress, islice, repeat

from streamcli.folders import folder
from streamcli.shell.secrets import holds_secret

ENTRIES_MAX = 10_000
ENTRY_MAX = 32_768  # characters
_GROWN = ENTRIES_MAX + ENTRIES_MAX // 5  # entries at which a file is cut back
_BYTES_MAX = 16 * 1024 * 1024  # of a file that is read; of one that has grown beyond, half of that is kept
_WAIT_S, _PAUSE_S = 0.25, 0.005  # for another shell's lock
_ENTRY = re.compile(rb"(?:^\+[^\n]*(?:\n|\Z))+", re.MULTILINE)


def path(environment: Mapping[str, str]) -> str | None:
    """The history file in the user's state folder; None when there is no home. Makes nothing."""
    try:
        return os.path.join(folder(environment, "XDG_STATE_HOME", ".local", "state"), "history")
    except OSError:
        return None


class History:
    """Entries, the newest last. `path` None keeps them in memory alone.

    `trouble` is why the file is not used, one line, once there is a reason.
    """

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.trouble: str | None = None
        self._entries: list[str] = []
        self._loaded = path is None
        self._in_file = 0  # entries that we know of
        self._last_suggestion = ("", 0)  # a prefix, and the index below which everything was looked at for it

    @property
    def entries(self) -> list[str]:
        """All of them, oldest first; read from the file when first asked for."""
        if not self._loaded:
            self.load()
        return self._entries

    def load(self) -> list[str]:
        """The file's newest entries, oldest first, and what this session has added."""
        if self._loaded:
            return self._entries
        self._loaded = True
        try:
            data, whole = self._read()
        except (OSError, ValueError) as error:
            self._give_up(error)
            return self._entries
        found = _parse(data)
        self._in_file = len(found) if whole else _GROWN + 1
        self._entries = found[-ENTRIES_MAX:]
        return self._entries

    def append(self, text: str) -> None:
        """Keep a line, unless it holds a secret, begins with a blank, repeats the last one or is endless."""
        entries = self.entries
        if not text.strip() or text[0] in " \t" or len(text) > ENTRY_MAX or text in entries[-1:] or holds_secret(text):
            return
        if len(entries) >= 2 * ENTRIES_MAX:
            del entries[:ENTRIES_MAX]
        entries.append(text)
        self._last_suggestion = ("", 0)
        if self.path is None:
            return
        try:
            self._write(text)
            if self._in_file > _GROWN:
                self._trim()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def suggest(self, prefix: str) -> str | None:
        """The newest line that begins like this and goes on. The next keystroke's search goes on from here."""
        if not prefix:
            return None
        entries = self.entries
        earlier, below = self._last_suggestion
        at = below if earlier and prefix.startswith(earlier) else len(entries)
        older = islice(reversed(entries), len(entries) - at, None)
        begin_so = compress(range(at - 1, -1, -1), map(str.startswith, older, repeat(prefix)))
        found = next((index for index in begin_so if entries[index] != prefix), -1)
        self._last_suggestion = prefix, found + 1
        return entries[found] if found >= 0 else None

    def clear(self) -> None:
        """Forget everything, in the file too."""
        self._loaded = True
        self._entries = []
        self._last_suggestion = ("", 0)
        self._in_file = 0
        if self.path is None:
            return
        try:
            if os.path.exists(self.path):
                with _locked(self.path) as file:
                    os.ftruncate(file, 0)
        except (OSError, ValueError) as error:
            self._give_up(error)

    # -- the file ---------------------------------------------------------------------------

    def _give_up(self, error: OSError | ValueError) -> None:
        """The rest of the session is kept in memory."""
        if not isinstance(error, _NotWantedError):
            reason = "it is a folder" if isinstance(error, IsADirectoryError) else _reason(error)
            self.trouble = self.trouble or f"history is not kept: {reason}: {self.path}"
        self.path = None

    def _read(self) -> tuple[bytes, bool]:
        """What is read of the file, and whether that is all of it."""
        assert self.path is not None
        try:
            file = _open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return b"", True
        with open(file, "rb") as opened:
            size = os.fstat(file).st_size
            if size <= _BYTES_MAX:
                return opened.read(_BYTES_MAX), True
            opened.seek(size - _BYTES_MAX)
            return opened.read(_BYTES_MAX).partition(b"\n#")[2], False  # an entry may have lost its beginning

    def _write(self, text: str) -> None:
        assert self.path is not None
        try:
            lines = text.encode("utf-8", "surrogateescape").replace(b"\n", b"\n+")
        except UnicodeEncodeError:  # half of a surrogate pair, which no file can hold
            return
        # The empty line ends whatever a shell that died has left behind.
        entry = b"\n# %s\n+%s\n" % (time.strftime("%Y-%m-%d %H:%M:%S").encode(), lines)
        with _locked(self.path) as file:
            size = os.fstat(file).st_size
            written = os.write(file, entry)
            if written < len(entry):
                if os.fstat(file).st_size == size + written:
                    os.ftruncate(file, size)
                raise OSError(28, "no space left on device")
        self._in_file += 1

    def _trim(self) -> None:
        """Leave the newest entries, other shells' too. Whoever writes meanwhile waits, then finds the new file."""
        assert self.path is not None
        real = os.path.realpath(self.path)  # a link to the file stays one
        with _locked(real) as file:
            if not _lock(file, 0):
                return  # without the lock another shell's line could get lost
            size = os.fstat(file).st_size
            whole = size <= _BYTES_MAX
            with open(os.dup(file), "rb") as opened:
                opened.seek(0 if whole else size - _BYTES_MAX // 2)
                data = opened.read(_BYTES_MAX)
            starts = [match.start() for match in _ENTRY.finditer(data)]
            self._in_file = min(len(starts), ENTRIES_MAX)
            if whole and len(starts) <= ENTRIES_MAX:
                return
            kept_starts = starts[-ENTRIES_MAX:] if len(starts) > ENTRIES_MAX else starts[1:]
            first = kept_starts[0] if kept_starts else len(data)
            above = data.rfind(b"\n", 0, max(first - 1, 0)) + 1
            if data[above : above + 1] == b"#":  # the line that says when
                first = above
            new = f"{real}.new"  # under the lock there is one at a time; one that was left by a kill is used again
            try:
                with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as kept:
                    kept.write(data[first:])
                os.replace(new, real)
            except OSError:
                if os.path.exists(new):
                    os.unlink(new)
                raise


class _NotWantedError(OSError):
    """The file is a device, such as /dev/null: someone wants no history."""


def _parse(data: bytes) -> list[str]:
    text = [match.group()[1:].removesuffix(b"\n").replace(b"\n+", b"\n") for match in _ENTRY.finditer(data)]
    return [entry.decode("utf-8", "surrogateescape") for entry in text]


def _open(path: str, flags: int) -> int:
    """The file, private, and nothing but a file. Raises OSError."""
    file = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        status = os.fstat(file)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError
        if stat.S_ISCHR(status.st_mode):
            raise _NotWantedError
        if not stat.S_ISREG(status.st_mode):
            raise OSError(22, "it is not a file")
        if status.st_mode & 0o077 and status.st_uid == os.geteuid():
            with suppress(OSError):
                os.fchmod(file, 0o600)
    except OSError:
        os.close(file)
        raise
    return file


@contextmanager
def _locked(path: str) -> Iterator[int]:
    """The file to add to, made if it is missing, with every other shell kept out of it.

    One that is stopped while it holds the lock is not waited for: adding by
    one write needs no lock, except for not being trimmed away.
    """
    os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
    give_up_at = time.monotonic() + _WAIT_S
    while True:
        file = _open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            mine = _lock(file, give_up_at)
            if not mine or _is(file, path):
                yield file
                return
        finally:
            os.close(file)  # and gives back the lock


def _lock(file: int, give_up_at: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up_at:
                return False
            time.sleep(_PAUSE_S)
        except OSError:  # a file system without locks
            return False
        else:
            return True


def _is(file: int, path: str) -> bool:
    """Is it still the file of that name, or has another shell replaced it?"""
    try:
        named = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(file), named)


def _reason(error: OSError | ValueError) -> str:
    return ((isinstance(error, OSError) and error.strerror) or str(error)).lower()
