"""Generators that yield generators, run without recursion.

A server may nest a reply as deep as the reader lets it, which is deeper than
Python lets functions call each other. So where a renderer would write
`yield from`, it yields the generator, and `run` keeps the stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    Flow: TypeAlias = "Iterator[str | Joint | Flow]"


class Joint:
    """Between two chunks: makes one of them, with `text` in the middle."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text: Final = text


def run(flow: Flow) -> Iterator[str]:
    """The chunks of a flow without joints, each as soon as it is there."""
    stack = [flow]
    while stack:
        for item in stack[-1]:
            if isinstance(item, str):
                yield item
            elif not isinstance(item, Joint):
                stack.append(item)
                break
        else:
            stack.pop()


def run_joined(flow: Flow) -> Iterator[str]:
    """The chunks of a flow with joints, each when the one after it is there."""
    held: str | None = None
    joined = False
    stack = [flow]
    while stack:
        for item in stack[-1]:
            if isinstance(item, str):
                if joined:
                    held, joined = f"{held}{item}", False
                else:
                    if held is not None:
                        yield held
                    held = item
            elif isinstance(item, Joint):
                held, joined = f"{held}{item.text}", True
            else:
                stack.append(item)
                break
        else:
            stack.pop()
    if held is not None:
        yield held
