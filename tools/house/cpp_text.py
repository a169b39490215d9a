"""C++ text without what only people read: comments are blanked, literals keep their quotes and their length."""

from __future__ import annotations

import re
from dataclasses import dataclass

# In this order: what begins first wins, so a quote in a comment and slashes in a literal are what they are. A quote
# after a digit or letter separates digits (1'000).
_NOT_CODE = re.compile(
    r'R"(?P<mark>[^\s()\\]{0,16})\((?P<raw>.*?)\)(?P=mark)"'
    r'|"(?P<text>(?:\\.|[^"\\\n])*)"'
    r"|(?<!\w)'(?P<character>(?:\\.|[^'\\\n])+)'"
    r"|//[^\n]*|/\*.*?\*/",
    re.DOTALL,
)


def _blanked(found: re.Match[str]) -> str:
    if found["raw"] is None and found["text"] is None and found["character"] is None:
        return re.sub(r"[^\n]", " ", found[0])
    return '"' + re.sub(r"[^\n]", "_", found[0][1:-1]) + '"'


def code_only(text: str) -> str:
    """The same lines and columns, comments as blanks, the insides of literals as underscores."""
    return _NOT_CODE.sub(_blanked, text)


@dataclass(frozen=True)
class LineCounts:
    comment: int = 0  # lines that hold a comment and no code
    code: int = 0

    def __add__(self, other: LineCounts) -> LineCounts:
        return LineCounts(self.comment + other.comment, self.code + other.code)

    def comment_share(self) -> float:
        return self.comment / (self.comment + self.code) if self.comment + self.code else 0.0


def count_lines(text: str) -> LineCounts:
    comment = code = 0
    for before, after in zip(text.splitlines(), code_only(text).splitlines(), strict=True):
        if after.strip():
            code += 1
        elif before.strip():
            comment += 1
    return LineCounts(comment, code)
