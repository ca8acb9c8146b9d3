"""Eight published concentrations that models are held against, and how far each model is from them.

Five are of one study whose group also made the default model, so the three others are told apart. Arterial
peaks are unfair to venous models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from sudeck.ketamine.pk_models import PkModel
from sudeck.ketamine.regimen import Dose, Regimen
from sudeck.ketamine.solve import solve_course

_NG_PER_NMOL: Final = 237.725


@dataclass(frozen=True, slots=True)
class PlasmaObservation:
    """A published concentration.

    Attributes
    ----------
    source : str
    doses : tuple of Dose
        Of what was measured, at 70 kg.
    at_h : float
    ng_per_ml : float
    site : str
    independent : bool
        Whether another group than that of the default model made it.
    """

    source: str
    doses: tuple[Dose, ...]
    at_h: float
    ng_per_ml: float
    site: str
    independent: bool


_KAMP: Final = "Kamp et al. 2020, Br J Anaesth, digitised curve"
_STEPS: Final = tuple(Dose(hour, 1.0, rate * 70.0) for hour, rate in enumerate((0.14, 0.28, 0.57)))
OBSERVATIONS: Final = (
    *(
        PlasmaObservation(_KAMP, _STEPS, hour, nmol * _NG_PER_NMOL, "arterial", False)
        # S-ketamine after S-ketamine at 2, 3 and 5 h, after racemate at 3 and 5 h; nmol/ml
        for hour, nmol in ((2.0, 0.536), (3.0, 1.055), (5.0, 0.241), (3.0, 1.07), (5.0, 0.247))
    ),
    PlasmaObservation(
        "Simons et al. 2022, 20 mg S-ketamine in 20 min",
        (Dose(0.0, 1 / 3, 20.0),),
        1 / 3,
        266.0,
        "arterial",
        True,
    ),
    PlasmaObservation(
        "Hasan et al. 2021, 5 mg racemate in 30 min", (Dose(0.0, 0.5, 5.0),), 0.5, 32.1, "venous", True
    ),
    PlasmaObservation(
        "Zanos et al. 2018, 0.5 mg/kg in 40 min", (Dose(0.0, 2 / 3, 35.0),), 2 / 3, 185.0, "venous", True
    ),
)


def fold_error(model: PkModel, *, independent: bool = False) -> float:
    """Return the root mean square ratio of prediction to observation of a model, 1 at best.

    Parameters
    ----------
    model : PkModel
    independent : bool
        Whether to hold it against the three observations of other groups alone.
    """
    system = model.system()
    logs = []
    for one in OBSERVATIONS:
        if one.independent or not independent:
            course = solve_course(system, Regimen("", "ketamine", one.doses), [one.at_h])
            logs.append(math.log(float(course.ng_per_ml[0, 0]) / one.ng_per_ml))
    return math.exp(math.sqrt(sum(log**2 for log in logs) / len(logs)))
