"""Errors a user can act on: one sentence that names the subject, the problem and the remedy."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BREAK: Final = re.compile(r"\s*[\t\n\r\v\f\x85\u2028\u2029]\s*")


class SudeckError(Exception):
    """Base of every error Sudeck raises on purpose; its text is one readable sentence."""


def acts_on_a_screen(letter: str) -> bool:
    """Tell whether a letter is an escape, or a mark that turns the direction of writing."""
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs")


def one_line(text: str) -> str:
    r"""Return a text as one line that shows what it says, whatever a file calls its columns.

    Examples
    --------
    >>> one_line("a.csv: no column\n\n is called 'x\x1b[2J'")
    "a.csv: no column is called 'x[2J'"
    """
    return "".join(letter for letter in _BREAK.sub(" ", text) if not acts_on_a_screen(letter))


class InputError(SudeckError):
    """Input that Sudeck refuses to measure.

    Parameters
    ----------
    subject : str
        What was refused, as the user named it: a file, a column, a patient identifier.
    problem : str
        What is wrong, without a final full stop.
    remedy : str
        What the user can do about it, without a final full stop.
    paste : str
        Lines to complete and to put into a file, where the remedy is to state something.

    Examples
    --------
    >>> print(InputError("pool.dcm", "the file is empty", "export it again"))
    pool.dcm: the file is empty; export it again.
    """

    def __init__(self, subject: str, problem: str, remedy: str, paste: str = "") -> None:
        self.subject = subject
        self.problem = problem
        self.remedy = remedy
        self.paste = paste
        super().__init__(one_line(f"{subject}: {problem}; {remedy}."))

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str, str]]:
        """Pickle by its parts, so that the error crosses process borders whole."""
        return type(self), (self.subject, self.problem, self.remedy, self.paste)


class MissingDependencyError(SudeckError):
    """An optional library is needed; the text says which extra brings it."""

    def __init__(self, feature: str, extra: str) -> None:
        self.feature = feature
        self.extra = extra
        super().__init__(
            f"{feature} needs an optional library; install it with: pip install 'sudeck[{extra}]'."
        )

    def __reduce__(self) -> tuple[type[MissingDependencyError], tuple[str, str]]:
        """Pickle by the two parts, so that the error crosses process borders whole."""
        return type(self), (self.feature, self.extra)
