"""What stands on the screen instead of what was typed: stars for secrets, an excerpt for what is endless."""

from __future__ import annotations

from functools import lru_cache

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput

from streamcli.shell.line import ANALYSED_MAX
from streamcli.shell.secrets import spans

_AROUND = 400  # characters shown on each side of the cursor


class Elided(Processor):
    """A line too long to look at is shown around the cursor; drawing all of it would take seconds a key."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        fragments = transformation_input.fragments
        if len(fragments) != 1 or len(fragments[0][1]) <= ANALYSED_MAX:
            return Transformation(fragments)
        document, text = transformation_input.document, fragments[0][1]
        here = document.cursor_position_row == transformation_input.lineno
        cursor = document.cursor_position_col if here else 0
        low, high = max(0, cursor - _AROUND), min(len(text), cursor + _AROUND)
        before = f"({low:,} characters)..." if low else ""
        after = f"...({len(text) - high:,} characters)" if high < len(text) else ""
        shown: StyleAndTextTuples = [
            ("class:hint.idle", before),
            (fragments[0][0], text[low:high]),
            ("class:hint.idle", after),
        ]
        moved = len(before) - low
        return Transformation(
            shown,
            source_to_display=lambda at: min(max(at, low), high) + moved,
            display_to_source=lambda at: min(max(at - moved, low), high),
        )


@lru_cache(maxsize=8)
def _spans(text: str) -> tuple[tuple[int, int], ...]:
    return tuple(spans(text))


class Masked(Processor):
    """Passwords as stars, one a character, so that places stay what they are."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        document = transformation_input.document
        fragments = transformation_input.fragments
        secret = _spans(document.text)
        if not secret:
            return Transformation(fragments)
        start = document.translate_row_col_to_index(transformation_input.lineno, 0)
        end = start + len(document.lines[transformation_input.lineno])
        here = [(low - start, high - start) for low, high in secret if low < end and high > start]
        return Transformation(_starred(fragments, here) if here else fragments)


def _starred(fragments: StyleAndTextTuples, secret: list[tuple[int, int]]) -> StyleAndTextTuples:
    shown: StyleAndTextTuples = []
    at = 0
    for fragment in fragments:
        text = list(fragment[1])
        for low, high in secret:
            for index in range(max(low - at, 0), min(high - at, len(text))):
                text[index] = "*"
        shown.append((fragment[0], "".join(text)))
        at += len(text)
    return shown
