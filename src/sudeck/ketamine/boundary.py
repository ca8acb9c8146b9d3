"""Where this room stops: what it is asked and does not answer, each with its reason.

It records, adds up, compares, simulates a published regimen or a course already given, and says that a record
contradicts itself. It never says what to give.
"""

from __future__ import annotations

from typing import Final

from sudeck.core.errors import InputError

_OF_A_PERSON: Final = "what a person is given is decided and answered for by those who treat"
REFUSED: Final = {
    "rate": f"a rate in mL/h or mg/h for a patient is a prescription, and {_OF_A_PERSON}",
    "dose": f"a dose for a patient is a prescription, and {_OF_A_PERSON}",
    "next": f"the next dose of a patient is a prescription, and {_OF_A_PERSON}",
    "target": "a rate from a wanted concentration would control a drug by models that differ up to twofold",
    "safe": "no number here can say that a course is safe: what was not looked for is not in a record",
    "go": "whether a course may begin or go on is the centre's own rule, in its own hands",
    "stop": "whether a course may begin or go on is the centre's own rule, in its own hands",
    "when": "a date for the next course would have to be known from effects that no model predicts",
}
_INSTEAD: Final = (
    "ask what was given (sudeck ketamine STUDY) or what a published regimen makes (sudeck ketamine simulate)"
)


def refuse(question: str) -> InputError:
    """Return the error that answers a question this room does not answer.

    Examples
    --------
    >>> print(refuse("safe"))  # doctest: +ELLIPSIS
    safe: no number here can say that a course is safe...
    """
    return InputError(question, REFUSED[question], _INSTEAD)
