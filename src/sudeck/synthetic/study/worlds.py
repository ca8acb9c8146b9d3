"""Worlds whose truth is known: what a study in each would measure, as tables, and what is true there.

A world is a cohort (`cohort`) and a stimulated group. Of the group, logarithms of RMT, MEP, SICI and ICF are
drawn for both hemispheres before and after treatment: a person's level, a person's change, a wobble between
visits that is nobody's measurement error, and the measurement error that the table states. Errors of scans
and of stimulation are those that pixels and volts gave, in stated errors (`residuals`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.published import PUBLISHED_RATIOS
from sudeck.core.vocabulary import PHASE_RATIOS, SCAN_PHASES
from sudeck.synthetic.study.population import Centres, CohortSettings, without_effect
from sudeck.synthetic.study.residuals import of_measure, of_scans
from sudeck.synthetic.study.synthetic_cohort import SyntheticCohort, draw_cohort

if TYPE_CHECKING:
    import pandas as pd

Place = tuple[str, str]  # measure, hemisphere
Tails = Literal["normal", "heavy"]

MEASURES: Final = ("RMT", "MEP", "SICI", "ICF")
HEMISPHERES: Final = ("pain", "other")
PUBLISHED_STIMULATED: Final = 19
# Of the natural logarithm, between people and of one measurement with its dozen or so trials: RMT about 10 %
# and 2 %; an MEP about a factor of two and a quarter; ratios of two means of ten trials in between.
_LEVEL: Final = {"RMT": math.log(55.0), "MEP": math.log(0.9), "SICI": math.log(0.5), "ICF": math.log(1.6)}
_BETWEEN: Final = {"RMT": 0.12, "MEP": 0.6, "SICI": 0.25, "ICF": 0.2}
_ERROR: Final = {"RMT": 0.02, "MEP": 0.2, "SICI": 0.18, "ICF": 0.15}
_CHANGE: Final = {"RMT": 0.01, "MEP": 0.1, "SICI": 0.25, "ICF": 0.2}  # between people, of the true change
# Between two visits of one person without any treatment, beyond the error of measurement: thresholds 4 to 5 %
# (test and retest of threshold tracking), MEP and ratios a good deal more.
_WOBBLE: Final = {"RMT": 0.045, "MEP": 0.35, "SICI": 0.25, "ICF": 0.2}
_DEGREES: Final = 3.0  # of freedom of heavy tails


@dataclass(frozen=True)
class StimulationSettings:
    """What the stimulated group of a world is made of, on the natural-log scale.

    Attributes
    ----------
    n : int
        Patients, the first of the cohort.
    change : Mapping of (measure, hemisphere) to float
        Mean true change; none where not named.
    weak_before : Mapping of measure to float
        By how much the pain side lies above the other before treatment.
    with_relief : Mapping of (measure, hemisphere) to float
        Correlation of the true change with relief.
    wobble : float
        Share of the wobble between visits that people have.
    tails : {"normal", "heavy"}
        Of wobble and error; heavy is Student's t with 3 degrees of freedom, of the same variance. Otherwise
        the wobble is normal, and errors are as pixels and volts gave them.
    """

    n: int = PUBLISHED_STIMULATED
    change: Mapping[Place, float] = field(default_factory=dict)
    weak_before: Mapping[str, float] = field(default_factory=dict)
    with_relief: Mapping[Place, float] = field(default_factory=dict)
    wobble: float = 0.0
    tails: Tails = "normal"


@dataclass(frozen=True)
class World:
    """One world of truth.

    Attributes
    ----------
    name : str
    what : str
        What is true in it, in a sentence.
    cohort : CohortSettings
    stimulation : StimulationSettings
    same_ratios : Mapping of str to float
        VPr, TPr and BPr that everybody truly has: what is measured differs by error alone. Empty where
        people differ.
    unlike_limbs : bool
        The limbs of a person are unlike in shape, and scans are poor; drawn as files only.
    """

    name: str
    what: str
    cohort: CohortSettings
    stimulation: StimulationSettings
    same_ratios: Mapping[str, float] = field(default_factory=dict)
    unlike_limbs: bool = False


@dataclass(frozen=True)
class WorldStudy:
    """One study drawn in a world.

    Attributes
    ----------
    world : World
    cohort : SyntheticCohort
    measures : DataFrame
        Stimulation: ``participant_id, visit, hemisphere, measure, value, log_se``.
    relief : DataFrame
        ``participant_id, relief`` of the stimulated.
    """

    world: World
    cohort: SyntheticCohort
    measures: pd.DataFrame
    relief: pd.DataFrame


_PUBLISHED: Final = StimulationSettings(
    change={
        ("SICI", "pain"): math.log(0.5 / 0.7),
        ("ICF", "pain"): math.log(0.8),
        ("ICF", "other"): math.log(0.8),
    },
    weak_before={"SICI": math.log(0.7 / 0.5)},
    with_relief={("SICI", "pain"): -0.8, ("ICF", "other"): -0.8},
)
_NOTHING: Final = StimulationSettings()
# VPr as it may be, the other two so that TPr/VPr and BPr/TPr lie at their cut-offs; BPr/VPr is then 1.05.
_AT_CUTOFFS: Final = {
    "VPr": 1.0,
    "TPr": PUBLISHED_RATIOS["TPr/VPr"].cutoff,
    "BPr": PUBLISHED_RATIOS["TPr/VPr"].cutoff * PUBLISHED_RATIOS["BPr/TPr"].cutoff,
}
# Assumed: 12 % are away at the average, a standard deviation less relief doubles the odds, and a standard
# deviation of log duration raises them by half.
_AWAY: Final = replace(
    without_effect(),
    missing={**CohortSettings().missing, "end": 0.12},
    away={"relief": -0.7, "stage": 0.4},
)

WORLDS: Final[Mapping[str, World]] = {
    world.name: world
    for world in (
        World(
            "as-published",
            "Ratios, relief and stimulation are as the two publications report them.",
            CohortSettings(),
            _PUBLISHED,
        ),
        World("nothing-true", "Nothing goes with relief, nothing changes.", without_effect(), _NOTHING),
        World(
            "equal-limbs",
            "Nothing goes with relief, and both limbs of everybody take up the same.",
            without_effect(),
            _NOTHING,
            same_ratios=dict.fromkeys(PHASE_RATIOS.values(), 1.0),
        ),
        World(
            "at-cut-offs",
            "Nothing goes with relief, and everybody's ratios lie at the published cut-offs.",
            without_effect(),
            _NOTHING,
            same_ratios=_AT_CUTOFFS,
        ),
        World(
            "unlike-limbs",
            "Nothing goes with relief; fingers are spread, bent or missing, limbs swollen, counts few.",
            without_effect(),
            _NOTHING,
            unlike_limbs=True,
        ),
        World(
            "away",
            "Nothing goes with relief, but who has none, and was ill for long, stays away at the end.",
            _AWAY,
            _NOTHING,
        ),
        World(
            "centres",
            "Nothing goes with relief within four centres, each with a camera and patients of its own.",
            replace(without_effect(), centres=Centres(4, camera_sd=0.05, relief_sd=0.3)),
            _NOTHING,
        ),
        World(
            "visit-noise",
            "Nothing goes with relief, nothing changes; people differ from visit to visit.",
            without_effect(),
            replace(_NOTHING, wobble=1.0),
        ),
        World(
            "heavy-tails",
            "As with visit noise, and now and then a value is far out.",
            without_effect(),
            replace(_NOTHING, wobble=1.0, tails="heavy"),
        ),
        World(
            "drift",
            "Nothing goes with relief; RMT rises by 2 % and MEP falls by 8 %, within the margins.",
            without_effect(),
            replace(
                _NOTHING,
                wobble=1.0,
                change={
                    (measure, side): change
                    for measure, change in (("RMT", math.log(1.02)), ("MEP", math.log(0.92)))
                    for side in HEMISPHERES
                },
            ),
        ),
    )
}


def find_world(name: str) -> World:
    """Return a world by its name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in WORLDS:
        raise InputError(name, "no world is called so", f"use one of {', '.join(WORLDS)}")
    return WORLDS[name]


def draw_world_study(world: World, *, rng: np.random.Generator) -> WorldStudy:
    """Draw one study in a world.

    Parameters
    ----------
    world : World
    rng : numpy.random.Generator
        The same state gives the same tables, bit for bit.
    """
    import pandas as pd

    cohort = draw_world_cohort(world, rng=rng)
    few = cohort.truth.patients.head(world.stimulation.n)
    settings = world.cohort
    standard = (few["relief_percent"].to_numpy() - settings.mean_relief) / settings.sd_relief
    measures = _draw_measures(world.stimulation, few["participant_id"].tolist(), standard, rng)
    relief = pd.DataFrame(
        {"participant_id": few["participant_id"].to_numpy(), "relief": few["relief_percent"].to_numpy()}
    )
    return WorldStudy(world, cohort, measures, relief)


def draw_world_cohort(
    world: World, *, rng: np.random.Generator, n: int | None = None, complete: bool = False
) -> SyntheticCohort:
    """Draw the cohort of a world alone.

    Parameters
    ----------
    world : World
    rng : numpy.random.Generator
    n : int, optional
        As many patients; those of the world unless given.
    complete : bool
        Nothing is missing.
    """
    settings = world.cohort
    if n is not None:
        settings = replace(settings, n=n)
    if complete:
        settings = replace(settings, missing={}, away={})
    cohort = draw_cohort(settings, rng=rng, residuals=of_scans())
    return _with_same_ratios(cohort, world.same_ratios, rng) if world.same_ratios else cohort


def true_values(world: World) -> dict[str, float]:
    """Return the true value of every quantity that a page makes claims about, by the name the claims use.

    A statement of the published pattern has the value 1 where it is so, 1/2 where it is so but too little to
    matter (by the margins of the pattern), and 0.
    """
    change, relief = world.stimulation.change, world.stimulation.with_relief
    found: dict[str, float] = {}
    for measure in MEASURES:
        sides = [change.get((measure, side), 0.0) for side in HEMISPHERES]
        for side, value in zip(HEMISPHERES, sides, strict=True):
            found[f"change of {measure}, {side}"] = math.exp(value)
        found[f"change of {measure}, interaction"] = math.exp(sides[0] - sides[1])
    for measure, low, high in (("RMT", 0.95, 1.05), ("MEP", 0.80, 1.25)):
        ratios = [found[f"change of {measure}, {side}"] for side in HEMISPHERES]
        within = all(low < ratio < high for ratio in ratios)
        found[f"{measure} does not change"] = (
            1.0 if all(ratio == 1.0 for ratio in ratios) else 0.5 if within else 0.0
        )
    falls = [found[f"change of ICF, {side}"] for side in HEMISPHERES]
    found["ICF falls in both hemispheres"] = _graded(max(falls), 0.90)
    before = math.exp(world.stimulation.weak_before.get("SICI", 0.0))
    after = before * found["change of SICI, interaction"]
    restored = before > 1.0 and after <= 1.0 + 1e-9
    found["SICI is restored in the pain-side hemisphere"] = (
        _graded(found["change of SICI, pain"], 0.90) if restored else 0.0
    )
    for (measure, side), r in relief.items():
        # Wobble and the errors of two visits weaken what is measured; the mean squared error factor is 1.
        error = _ERROR[measure] * float(of_measure(measure).std())
        noise = (world.stimulation.wobble * _WOBBLE[measure]) ** 2 + 2 * error**2
        weakened = r / math.sqrt(1 + noise / _CHANGE[measure] ** 2)
        found[f"measured correlation of relief and the change of {measure}, {side}"] = weakened
    for name, place in (
        ("relief goes with the restoration of SICI on the pain side", ("SICI", "pain")),
        ("relief goes with the fall of ICF on the other side", ("ICF", "other")),
    ):
        found[name] = _graded(1.0 + relief.get(place, 0.0), 0.80)
    return found


def where_people_differ(world: World) -> frozenset[str]:
    """Return the measures whose change differs between people at least half as much as it is measured wrong.

    Examples
    --------
    >>> sorted(where_people_differ(WORLDS["nothing-true"]))
    ['ICF', 'SICI']
    """
    wobble = world.stimulation.wobble
    return frozenset(
        measure
        for measure in MEASURES
        if _CHANGE[measure] ** 2 + (wobble * _WOBBLE[measure]) ** 2 >= _ERROR[measure] ** 2
    )


def _graded(ratio: float, margin: float) -> float:
    return 1.0 if ratio < margin else 0.5 if ratio < 1.0 else 0.0


def _with_same_ratios(
    cohort: SyntheticCohort, ratios: Mapping[str, float], rng: np.random.Generator
) -> SyntheticCohort:
    """Return the cohort with the ratios of every patient measured at one truth."""
    scans, table, patients = cohort.scans.copy(), cohort.table.copy(), cohort.truth.patients.copy()
    residuals = rng.choice(of_scans(), len(scans))
    for j, name in enumerate(PHASE_RATIOS[phase] for phase in SCAN_PHASES):
        scans[name] = ratios[name] * np.exp(scans[f"{name}_log_se"].to_numpy() * residuals[:, j])
        table[name] = table["participant_id"].map(scans.set_index("participant_id")[name])
        patients[name] = ratios[name]
    return replace(cohort, scans=scans, table=table, truth=replace(cohort.truth, patients=patients))


def _draw_measures(
    settings: StimulationSettings, ids: list[str], relief: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    import pandas as pd

    n = len(ids)

    def noise() -> np.ndarray:
        if settings.tails == "normal":
            return rng.standard_normal(n)
        return rng.standard_t(_DEGREES, n) / math.sqrt(_DEGREES / (_DEGREES - 2))

    parts = []
    for measure in MEASURES:
        person = rng.standard_normal(n)  # what both hemispheres of one person share
        for side in HEMISPHERES:
            weak = settings.weak_before.get(measure, 0.0) if side == "pain" else 0.0
            own = (person + rng.standard_normal(n)) / math.sqrt(2)
            level = _LEVEL[measure] + weak + _BETWEEN[measure] * own
            r = settings.with_relief.get((measure, side), 0.0)
            moved = r * relief + math.sqrt(1 - r * r) * rng.standard_normal(n)
            change = settings.change.get((measure, side), 0.0) + _CHANGE[measure] * moved
            for visit, mean in (("pre", level), ("post", level + change)):
                error = _ERROR[measure] * np.exp(0.2 * rng.standard_normal(n) - 0.04)
                wobble = settings.wobble * _WOBBLE[measure] / math.sqrt(2)
                residual = rng.choice(of_measure(measure), n) if settings.tails == "normal" else noise()
                measured = mean + wobble * noise() + error * residual
                parts.append(
                    pd.DataFrame(
                        {
                            "participant_id": ids,
                            "visit": visit,
                            "hemisphere": side,
                            "measure": measure,
                            "value": np.exp(measured),
                            "log_se": error,
                        }
                    )
                )
    return pd.concat(parts, ignore_index=True)
