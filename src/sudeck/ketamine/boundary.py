"""Where this room stops: what it is asked and does not answer, each with its reason.

It records, adds up, compares, simulates a published regimen or a course already given, and says that a record
contradicts itself. It never says what to give.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
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
# Words a person may ask with, without case, spaces and signs: French ones too.
_ASKED_AS: Final = {
    "rate": "rate mlh mgh mlperh mgperh mgkgh mgperhour mlperhour mlhour mghour pump infusionrate debit "
    "speed flow drip",
    "dose": "dose dosage dosing prescribe prescription recommend recommended recommendation suggest advise "
    "advice posologie give optimal optimise optimize",
    "next": "next nextdose nextday nextinfusion increase raise reduce adjust titrate escalate",
    "target": "target targetconcentration concentration level tci plasma wanted goal",
    "safe": "safe issafe safety harmless risk danger",
    "go": "go nogo gonogo start begin continue proceed eligible clear clearance",
    "stop": "stop pause abort halt",
    "when": "when date nextcourse nextcycle interval repeat schedule booster calendar",
}
_INSTEAD: Final = (
    "ask what was given (sudeck ketamine STUDY) or what a published regimen makes (sudeck ketamine simulate)"
)


def question_of(words: Iterable[str]) -> str | None:
    """Return what is asked that is not answered here, by the words of a command; None where nothing is.

    Examples
    --------
    >>> question_of(["--next-course"]), question_of(["mL/h", "sub-001"]), question_of(["my-study"])
    ('when', 'rate', None)
    """
    plain = [re.sub(r"[^a-z]", "", word.split("=")[0].lower().replace("é", "e")) for word in words]
    joined = [first + second for first, second in pairwise(plain)]
    for word in (*joined, *plain):
        for question, names in _ASKED_AS.items():
            if word in names.split():
                return question
    return None


def refuse(question: str) -> InputError:
    """Return the error that answers a question this room does not answer.

    Examples
    --------
    >>> print(refuse("safe"))  # doctest: +ELLIPSIS
    safe: no number here can say that a course is safe...
    """
    return InputError(question, REFUSED[question], _INSTEAD)
