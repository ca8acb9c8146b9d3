"""Which readings stand for a hemisphere: one muscle at all visits, and nothing that was measured twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from sudeck.core.flags import Flag
from sudeck.study.answers.stimulated.hemisphere_reading import (
    INTENSITY_STEP,
    LEAST_DERIVED_INTENSITY,
    PAIRED,
    Reading,
)


def choose_muscle(readings: Sequence[Reading], muscles: Sequence[str]) -> list[Reading]:
    """Keep one muscle for each hemisphere: the one read at most visits, then the first of `muscles`."""
    visits: dict[tuple[str, str], set[str]] = defaultdict(set)
    count: Counter[tuple[str, str]] = Counter()
    for one in readings:
        visits[one.hemisphere, one.muscle].add(one.visit)
        count[one.hemisphere, one.muscle] += 1
    order = {muscle: place for place, muscle in enumerate(muscles)}

    def worth(key: tuple[str, str]) -> tuple[Any, ...]:
        return -len(visits[key]), order.get(key[1], len(order)), -count[key], key[1]

    best = {
        hemisphere: min((key for key in visits if key[0] == hemisphere), key=worth)[1]
        for hemisphere in {hemisphere for hemisphere, _ in visits}
    }
    return [one for one in readings if best[one.hemisphere] == one.muscle]


def name_test_pulses(readings: Sequence[Reading]) -> list[Reading]:
    """Call the test pulse of the pairs by one intensity, wherever thresholds differ only by their error.

    A threshold is known to some 3 per cent, so that one test pulse may be 122 % of it at a visit and 126 % at
    the next. Taken for 1.2 and 1.3, a weaker pulse of the recruitment curve would be the second visit's 1.2.
    Where the visits differ by a whole step, each keeps its own.
    """
    tests: dict[str, list[float]] = defaultdict(list)
    for one in readings:
        if one.of_pairs and one.over_threshold is not None:
            tests[one.hemisphere].append(one.over_threshold)
    usual = _one_intensity([percent for own in tests.values() for percent in own])
    cells = {hemisphere: usual or _one_intensity(own) for hemisphere, own in tests.items()}
    named = [
        replace(one, cell=cells[one.hemisphere]) if one.of_pairs and cells.get(one.hemisphere) else one
        for one in readings
    ]
    # What is too near to the threshold has no name, and is no MEP of a known intensity.
    return [one for one in named if one.cell or not one.of_pairs]


def _one_intensity(percents: Sequence[float]) -> str:
    """Return the intensity over the threshold that these are all readings of; empty where there is none."""
    if not percents or max(percents) - min(percents) >= INTENSITY_STEP:
        return ""
    middle = fmean(percents)
    if middle < LEAST_DERIVED_INTENSITY:
        return ""
    return f"{INTENSITY_STEP * round(middle / INTENSITY_STEP) / 100:g}"


def settle_repeats(readings: Sequence[Reading]) -> tuple[tuple[Reading, ...], tuple[Flag, ...]]:
    """Return readings of which no two have one name, and a flag for each name that was measured twice.

    Conditioning intensities get cells of their own. Of MEPs at nearly the same intensity that of the pairs'
    test pulse stays, or the one with most trials. What else was measured twice is dropped: nobody says which
    one counts.
    """
    groups: dict[tuple[str, str, str], list[Reading]] = defaultdict(list)
    for one in readings:
        groups[one.visit, one.hemisphere, one.name].append(one)
    # One place with several conditioning intensities makes it an axis of its own at every place of that kind.
    several = {
        (own[0].hemisphere, own[0].name)
        for own in groups.values()
        if own[0].measure in PAIRED and len({one.conditioning_rmt for one in own}) > 1
    }
    kept: dict[tuple[str, str, str], Reading] = {}
    twice: set[tuple[str, str, str]] = set()
    for one in readings:
        named = one
        if (one.hemisphere, one.name) in several and one.conditioning_rmt is not None:
            nominal = INTENSITY_STEP * round(one.conditioning_rmt / INTENSITY_STEP)
            named = replace(one, cell=f"{one.cell} at {nominal:g} %RMT")
        key = named.visit, named.hemisphere, named.name
        before = kept.get(key)
        if before is not None and one.measure == "MEP" and one.cell and before.intensity != one.intensity:
            kept[key] = max(before, named, key=lambda reading: (reading.of_pairs, reading.n or 0))
        elif before is not None:
            twice.add(key)
        else:
            kept[key] = named
    flags = tuple(
        Flag(
            "measured-twice",
            f"{readings[0].patient}, {visit}, {hemisphere} hemisphere: {name} was measured more than once "
            "under the same conditions, so neither is used; name the conditions apart.",
            "caution",
            readings[0].patient,
        )
        for visit, hemisphere, name in sorted(twice)
    )
    return tuple(one for key, one in kept.items() if key not in twice), flags
