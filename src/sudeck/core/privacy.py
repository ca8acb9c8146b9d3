"""Keep what identifies a patient out of everything we print or write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

MASK = "[removed]"
_MIN_TOKEN_LENGTH = 3
# Words that stand in name fields of anonymised files and mean nobody.
_HARMLESS = {"anon", "anonymous", "anonymized", "anonymised", "unknown", "none", "patient", "test", "phantom"}


@dataclass(frozen=True)
class Redactor:
    """Masks known identifying words in any text.

    Build one from the identifying values of a file, then pass every text through it that came from
    the file or from its path.

    Examples
    --------
    >>> Redactor.from_values(["DUPONT^JEANNE", "19610203"]).clean("scans/dupont_19610203/pool.dcm")
    'scans/[removed]_[removed]/pool.dcm'
    """

    tokens: frozenset[str] = frozenset()

    @classmethod
    def from_values(cls, values: Iterable[object]) -> Redactor:
        """Collect the words (three characters and longer) of identifying values such as a patient's name."""
        tokens: set[str] = set()
        for value in values:
            text = str(value or "").strip().lower()
            for token in (text, *re.split(r"[\s^=,;._/\\-]+", text)):
                if len(token) >= _MIN_TOKEN_LENGTH and token not in _HARMLESS:
                    tokens.add(token)
        return cls(frozenset(tokens))

    def __or__(self, other: Redactor) -> Redactor:
        return Redactor(self.tokens | other.tokens)

    def clean(self, text: str) -> str:
        """Return `text` with every known identifying word masked, whatever its case."""
        if not self.tokens:
            return text
        longest_first = sorted(self.tokens, key=lambda token: (-len(token), token))
        return re.sub("|".join(map(re.escape, longest_first)), MASK, text, flags=re.IGNORECASE)

    def label(self, path: str | PurePath) -> str:
        """Return the last part of a path, cleaned: how Sudeck names a file in anything it writes."""
        return self.clean(PurePath(path).name)
