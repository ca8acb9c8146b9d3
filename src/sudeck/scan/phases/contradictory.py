"""Images that can not all be what they are said to be: one turned round, one used twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.phases.assignment import PhaseCandidate
from sudeck.scan.phases.digits import turned_round
from sudeck.scan.reading.remedies import SAY_PHASE


@dataclass(frozen=True)
class Contradictory:
    """Phases left out because of what others show, with the reason, and what to say of it.

    Attributes
    ----------
    errors : Mapping of phase to InputError
    flags : tuple of Flag
    """

    errors: Mapping[ScanPhase, InputError] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()


def contradictory(chosen: Mapping[ScanPhase, PhaseCandidate]) -> Contradictory:
    """Find among the images chosen those that contradict each other.

    Parameters
    ----------
    chosen : Mapping of phase to PhaseCandidate
    """
    images = {name: _image(item) for name, item in chosen.items()}
    errors, flags = _used_twice(chosen, images)
    rest = {name: item for name, item in chosen.items() if name not in errors}
    turned = turned_round(
        [
            (name, item.orientation.view, item.orientation.image_left, images[name], _row_mm(item))
            for name, item in rest.items()
        ]
    )
    for name in turned:
        problem = (
            "it shows the limbs the other way up than the other phases, though said to have the same side at "
            "image-left: it is turned round, with its left and right exchanged"
            if len(turned) == 1
            else "one of two phases shows the limbs the other way up than the other, though both are said to "
            "have the same side at image-left: one is turned round, with its left and right exchanged"
        )
        remedy = "check how it was exported, or give it alone with --image-left"
        errors[name] = InputError(rest[name].acquisition.label, problem, remedy)
    if turned:
        text = (
            f"The {' or the '.join(turned)} phase shows the limbs the other way up than the "
            f"{'others' if len(turned) == 1 else 'other'}, with its left and right exchanged. It is not "
            "measured. Check how it was exported, or give it alone with --image-left."
        )
        flags.append(Flag("phase-turned-round", text, "serious", turned[0]))
    return Contradictory(errors, tuple(flags))


def contradicts(item: PhaseCandidate, chosen: Mapping[ScanPhase, PhaseCandidate]) -> InputError | None:
    """Say why a further delayed image contradicts the images chosen; None where it does not."""
    if "bone" in chosen and np.array_equal(_image(item), _image(chosen["bone"])):
        other = chosen["bone"].acquisition.label
        return InputError(
            item.acquisition.label, f"it holds the same image as {other}, which is used once", SAY_PHASE
        )
    return contradictory({**chosen, "bone": item}).errors.get("bone")


def _used_twice(
    chosen: Mapping[ScanPhase, PhaseCandidate], images: Mapping[ScanPhase, NDArray[np.float64]]
) -> tuple[dict[ScanPhase, InputError], list[Flag]]:
    """Refuse phases that hold one and the same image; the dynamic that it is the sum of is kept."""
    errors: dict[ScanPhase, InputError] = {}
    flags = []
    for first, second in combinations(chosen, 2):
        if not images[first].any() or not np.array_equal(images[first], images[second]):
            continue
        dynamic = [name for name in (first, second) if len(chosen[name].frames) > 1]
        for name in (first, second):
            if dynamic == [name]:
                continue
            other = second if name == first else first
            errors[name] = InputError(
                chosen[name].acquisition.label,
                f"it holds the same image as {chosen[other].acquisition.label}, the {other} phase: counts "
                "are never the same twice, so one of them is a copy",
                f"give each phase its own image, or {SAY_PHASE}",
            )
        text = f"The {first} and the {second} phase hold the same image: one of them is a copy."
        flags.append(Flag("image-used-twice", text, "serious", second))
    return errors, flags


def _image(item: PhaseCandidate) -> NDArray[np.float64]:
    frames = [frame.index for frame in item.frames]
    return np.asarray(item.acquisition.counts[frames].sum(axis=0), dtype=np.float64)


def _row_mm(item: PhaseCandidate) -> float:
    spacing = item.acquisition.spacing_mm
    return spacing[0] if spacing is not None else 1.0
