"""Worlds whose truth is known: what a study in each would measure, as tables, and what is true there.

A world is a cohort (`synthetic_cohort`) and a stimulated group (`stimulated_group`). The errors of scans are
those that pixels gave, in stated errors (`residuals`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.published import PUBLISHED_RATIOS
from sudeck.core.vocabulary import PHASE_RATIOS, SCAN_PHASES
from sudeck.synthetic.study.population import Centres, CohortSettings, without_effect
from sudeck.synthetic.study.residuals import of_scans
from sudeck.synthetic.study.stimulated_group import (
    HEMISPHERES,
    MEASURES,
    StimulationSettings,
    draw_measures,
)
from sudeck.synthetic.study.synthetic_cohort import SyntheticCohort, draw_cohort

if TYPE_CHECKING:
    import pandas as pd


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
_SCORE_SD: Final = 0.7  # of one pain score, in points of eleven

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
            "floor",
            "As with visit noise; SICI is never read below 0.35, pain scores are noisy, relief is skewed.",
            replace(without_effect(), score_sd=_SCORE_SD, skewed_relief=True),
            replace(_NOTHING, wobble=1.0, floor={"SICI": 0.35}),
        ),
        World(
            "bent-relief",
            "As published, but relief goes with the ratios along a bent curve and pain scores are noisy.",
            CohortSettings(score_sd=_SCORE_SD, skewed_relief=True),
            _PUBLISHED,
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
    measures = draw_measures(world.stimulation, few["participant_id"].tolist(), standard, rng)
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
        # Wobble and the errors of two visits weaken what is measured.
        noise = world.stimulation.variance_of_noise(measure) / world.stimulation.variance_of_change(measure)
        weakened = r / math.sqrt(1 + noise)
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
    return frozenset(measure for measure in MEASURES if world.stimulation.people_differ_in(measure))


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
