"""The items of the reporting checklist, and the answers that a protocol file gives to them.

Items after Chipchase L. et al. (2012), Clin Neurophysiol 123:1698-1704, doi 10.1016/j.clinph.2012.05.003.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from sudeck.core.errors import InputError

Part = Literal["participants", "method", "paired pulses", "analysis"]

# Number, key in the protocol file, part, the item as a question.
ITEMS: Final[tuple[tuple[str, Part, str], ...]] = (
    ("age", "participants", "How old are they?"),
    ("sex", "participants", "Of which sex?"),
    ("handedness", "participants", "Left- or right-handed?"),
    ("medication", "participants", "Which prescribed medication do they take?"),
    ("cns_drugs", "participants", "Which drugs that act on the central nervous system?"),
    ("neuropsychiatric", "participants", "Any neurological or psychiatric disorder?"),
    ("medical_conditions", "participants", "Any other medical condition?"),
    ("repetitive_activity", "participants", "Any history of repetitive motor activity?"),
    ("electrodes", "method", "Where were the electrodes, and how was contact ensured?"),
    ("contraction", "method", "Was the target muscle at rest or active, and how strongly?"),
    ("prior_activity", "method", "What did the target muscle do before the session?"),
    ("other_muscles", "method", "Were the other muscles relaxed?"),
    ("coil_type", "method", "Which coil, of which size and shape?"),
    ("coil_orientation", "method", "How was the coil oriented?"),
    ("current_direction", "method", "In which direction did the current induced in the brain flow?"),
    ("coil_position", "method", "How were coil position and its stability ensured?"),
    ("stimulator", "method", "Which stimulator?"),
    ("intensity", "method", "At which intensities?"),
    ("pulse_shape", "method", "Monophasic or biphasic pulses?"),
    ("hotspot", "method", "How was the hotspot found?"),
    ("time_between_trials", "method", "How far apart were the trials?"),
    ("time_between_days", "method", "How far apart were the sessions?"),
    ("attention", "method", "How was attention kept up or controlled?"),
    ("threshold_method", "method", "How was the motor threshold determined?"),
    ("number_of_meps", "method", "How many MEPs were recorded?"),
    ("test_intensity", "paired pulses", "At which intensity was the test pulse?"),
    ("conditioning_intensity", "paired pulses", "At which intensity was the conditioning pulse?"),
    ("isi", "paired pulses", "At which interval?"),
    ("size_method", "analysis", "How was the size of the MEP measured?"),
    ("unconditioned_size", "analysis", "How large was the unconditioned MEP?"),
)
KEYS: Final = tuple(key for key, _, _ in ITEMS)


def checked_answers(table: Mapping[str, Any], label: str) -> dict[str, str]:
    """Check the table ``[reporting]`` of a protocol file.

    Raises
    ------
    InputError
        If it answers an item that does not exist, or an answer is no text or number.

    Examples
    --------
    >>> checked_answers({"age": 41}, "protocol.toml")
    {'age': '41'}
    """
    for key, value in table.items():
        if key not in KEYS:
            raise InputError(
                label, f"[reporting] {key} is no item of the checklist", f"write one of {', '.join(KEYS)}"
            )
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InputError(label, f"[reporting] {key} is {value!r}", "write a text in quotes or a number")
    return {key: str(value).strip() for key, value in table.items()}
