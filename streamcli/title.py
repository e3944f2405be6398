"""What other users of the machine see of a command line, and what they must not: passwords.

A process may write over its own words. Only Linux says where they are; elsewhere
they stay, and nothing is said.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator


def hide(secrets: Iterable[str | None], lines: Iterable[str] = ()) -> None:
    """Put stars over secrets in this process's title. Never raises.

    `secrets` are the values of flags; of a URL its password alone is one.
    `lines` are pieces of command lines, which may stand within a word.
    The words are written through the system's own view of the memory, which
    answers with an error where a stray pointer would end the process.
    """
    found = [os.fsencode(secret) for secret in secrets if secret]
    pieces = [os.fsencode(piece) for piece in lines if piece]
    try:
        with open("/proc/self/cmdline", "rb") as file:
            words = file.read()
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()  # the name in brackets may hold blanks
        start, end = int(fields[45]), int(fields[46])  # proc(5): arg_start and arg_end, 48 and 49 of all
        if not words or end - start != len(words):
            return
        memory = os.open("/proc/self/mem", os.O_RDWR | os.O_CLOEXEC)
        try:
            if os.pread(memory, len(words), start) == words:
                for at, size in places(words, found, pieces):
                    os.pwrite(memory, b"*" * size, start + at)
        finally:
            os.close(memory)
    except (OSError, ValueError, IndexError, OverflowError):
        return


def places(words: bytes, secrets: Iterable[bytes], pieces: Iterable[bytes] = ()) -> Iterator[tuple[int, int]]:
    """Where in the words, each of which ends in a NUL, secrets are: places and lengths."""
    at = 0
    for word in words.split(b"\0"):
        for secret in secrets:
            # A word of its own, or behind its flag: -aSECRET, --pass=SECRET.
            if word == secret or (word[:1] == b"-" and word.endswith(secret)):
                before = len(word) - len(secret)
                for low, high in _in_url(secret) if b"://" in secret else [(0, len(secret))]:
                    yield at + before + low, high - low
        for piece in pieces:
            low = word.find(piece)
            while low >= 0:
                yield at + low, len(piece)
                low = word.find(piece, low + len(piece))
        at += len(word) + 1


def _in_url(url: bytes) -> Iterator[tuple[int, int]]:
    """From where to where a URL's passwords go; more, when it is not written as it should be."""
    start = url.index(b"://") + 3
    high = url.rfind(b"@")
    colon = url.find(b":", start)
    if start <= colon < high:
        yield colon + 1, high
    query = url.find(b"?", max(start, high))
    if query >= 0 and b"pass" in url[query:].lower():
        yield query + 1, len(url)
