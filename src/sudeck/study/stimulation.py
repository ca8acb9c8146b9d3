"""What a patient's recordings measured, on the axis that matters: before and after, pain side and other side.

A record keeps what was measured under the left and right hemisphere of each session. Here the sessions become
visits, the hemispheres become *pain* (contralateral to the affected limb) and *other*, and what can not be
placed is left out with a reason.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Final

from sudeck.core.flags import Flag
from sudeck.core.vocabulary import Side, opposite, pain_side_hemisphere

# The measures that are explained, in the order they are listed.
MEASURES: Final = ("RMT", "MEP", "SICI", "ICF", "LICI", "CSP", "iSP", "IHI")
PAIRED: Final = ("SICI", "ICF", "LICI", "IHI")
# Ending of what threshold tracking measured: a ratio of thresholds, not of responses.
_TRACKED: Final = " tracked"
# Protocols name intensities in tens of per cent of the threshold, and set them from a threshold found in
# steps of the stimulator: what was set is taken for the nearest named intensity.
_INTENSITY_STEP: Final = 10.0
# Below, the response lies on the foot of its recruitment curve, where one per cent of error in the threshold
# moves it more than a treatment would; derived from the threshold, an intensity must keep clear of that.
_LEAST_INTENSITY: Final = 110.0
_LEAST_DERIVED_INTENSITY: Final = 115.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured number of one hemisphere at one visit.

    Attributes
    ----------
    patient, session, visit : str
    hemisphere : {"pain", "other"}
        Of the tested hemisphere; for IHI that of the test pulse, for iSP the one that moves the muscle.
    side : {"left", "right"}
        The same hemisphere as recorded.
    muscle : str
    measure : str
        One of `MEASURES`.
    cell : str
        What tells two readings of one measure apart: ``"2.5"`` (interval in ms), ``"1.2"`` (intensity of an
        MEP over the threshold); empty where there is but one.
    isi_ms : float or None
    conditioning_rmt : float or None
        Conditioning intensity in per cent of the resting threshold of its hemisphere, as far as known.
    intensity : str
        Test intensity as recorded.
    value, low, high, level : float
        Estimate and interval; a bound may be infinite.
    log_se : float
        Standard error of the natural logarithm; NaN where none is known.
    shared_variance : float
        Part of ``log_se ** 2`` that comes from the unconditioned response, which the intervals share; NaN
        where it is not known.
    unit : str
    n : float or None
    n_unit : str
    """

    patient: str
    session: str
    visit: str
    hemisphere: str
    side: Side
    muscle: str
    measure: str
    cell: str
    isi_ms: float | None
    conditioning_rmt: float | None
    intensity: str
    value: float
    low: float
    high: float
    level: float
    log_se: float
    shared_variance: float
    unit: str
    n: float | None
    n_unit: str

    @property
    def name(self) -> str:
        """Measure and cell, as the circuit names it: ``"SICI_2.5"``, ``"MEP_1.2"``, ``"RMT"``."""
        return f"{self.measure}_{self.cell}" if self.cell else self.measure


def visit_names(sessions: Sequence[str]) -> dict[str, str]:
    """Return the visit of each session, in order: ``ses-pre`` is the visit ``pre``.

    Examples
    --------
    >>> visit_names(("ses-pre", "ses-post"))
    {'ses-pre': 'pre', 'ses-post': 'post'}
    """
    return {session: session.removeprefix("ses-") for session in sessions}


def read_recordings(
    record: Mapping[str, Any],
    visits: Mapping[str, str],
    affected: Side | None,
    *,
    muscles: Sequence[str] = (),
) -> tuple[tuple[Reading, ...], tuple[Flag, ...]]:
    """Read what the record of a patient holds of each hemisphere and visit.

    Parameters
    ----------
    record : mapping
        As `sudeck.study.records.stored_record` returns it.
    visits : Mapping of str to str
        Visit of each session that counts, see `visit_names`.
    affected : {"left", "right"} or None
        Affected side of the body.
    muscles : sequence of str
        Preferred muscles, first choice first. Of several muscles one is read for each hemisphere, at all
        visits the same: the one recorded at most visits, then by this order.

    Returns
    -------
    readings : tuple of Reading
        At most one for each visit, hemisphere and `Reading.name`.
    flags : tuple of Flag
        What was left out, one sentence each.
    """
    patient = str(record["participant_id"])
    known = {session: result for session, result in record["recordings"].items() if session in visits}
    if not known:
        return (), ()
    if affected is None:
        text = (
            f"{patient}: the affected side is not known, so neither is the pain-side hemisphere; fill in "
            "affected_side in participants.tsv."
        )
        return (), (Flag("side-unknown", text, "serious", patient),)
    flags: list[Flag] = []
    readings: list[Reading] = []
    for session, result in known.items():
        rows, trouble = _usable(patient, session, result["estimates"])
        flags += trouble
        readings += _session(patient, session, visits[session], rows, affected)
    chosen = _one_muscle(readings, muscles)
    single, twice = _only_once(chosen)
    return single, (*flags, *twice)


def _usable(
    patient: str, session: str, rows: Iterable[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[Flag]]:
    """Return the rows of a session that can be placed; several people or visits in one make none."""
    rows = [row for row in rows if row["measure"].removesuffix(_TRACKED) in MEASURES]
    where = f"{patient}, {session}"

    def left_out(code: str, text: str, count: int) -> Flag:
        return Flag(code, f"{where}: {text}", "caution", patient, float(count))

    for name, what in (("participant", "people"), ("visit", "visits")):
        if len({row[name] for row in rows if row[name]}) > 1:
            text = f"the recordings are of several {what}; give each a session folder of its own."
            return [], [left_out(f"several-{what}", text, len(rows))]
    flags = []
    tracked = [row for row in rows if row["measure"].endswith(_TRACKED)]
    if tracked:
        names = ", ".join(sorted({row["measure"].removesuffix(_TRACKED) for row in tracked}))
        text = f"{names} by threshold tracking is no ratio of responses and is left out."
        flags.append(left_out("tracked", text, len(tracked)))
    rows = [row for row in rows if row not in tracked]
    nowhere = [row for row in rows if row["hemisphere"] is None]
    if nowhere:
        text = (
            f"nobody says which hemisphere was stimulated ({len(nowhere)} estimates); add hemisphere to the "
            "events table or the protocol file."
        )
        flags.append(left_out("hemisphere-unknown", text, len(nowhere)))
    flat = [row for row in rows if row["hemisphere"] and not _is_positive(row["value"])]
    if flat:
        names = ", ".join(sorted({row["measure"] for row in flat}))
        text = f"{names} without a positive value has no logarithm and is left out."
        flags.append(left_out("value-not-positive", text, len(flat)))
    return [row for row in rows if row["hemisphere"] and _is_positive(row["value"])], flags


def _is_positive(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def _session(
    patient: str, session: str, visit: str, rows: Sequence[Mapping[str, Any]], affected: Side
) -> list[Reading]:
    thresholds = {(row["hemisphere"], row["muscle"]): row["value"] for row in rows if row["measure"] == "RMT"}
    readings = []
    for row in rows:
        measure, stimulated, muscle = row["measure"], row["hemisphere"], row["muscle"]
        ipsilateral = row["muscle_side"] is not None and row["muscle_side"] == stimulated
        if ipsilateral != (measure == "iSP"):
            continue  # an ipsilateral response is another pathway than the one these measures are of
        tested: Side = opposite(stimulated) if measure == "iSP" else stimulated
        threshold = thresholds.get((stimulated, muscle))
        cell = ""
        if measure == "MEP":
            intensity = _over_threshold(row["intensity"], threshold)
            if intensity is None and not _is_test_pulse(row, rows, threshold):
                continue
            cell = f"{intensity / 100:g}" if intensity else ""
        elif measure in PAIRED:
            cell = f"{row['isi_ms']:g}"
        conditioner = opposite(stimulated) if measure == "IHI" else stimulated
        low, high = (
            bound if bound is not None else limit
            for bound, limit in ((row["low"], 0.0), (row["high"], math.inf))
        )
        log_se = _log_se(row, low, high)
        readings.append(
            Reading(
                patient,
                session,
                visit,
                "pain" if tested == pain_side_hemisphere(affected) else "other",
                tested,
                muscle,
                measure,
                cell,
                row["isi_ms"],
                _in_rmt(row["conditioning"], thresholds.get((conditioner, muscle))),
                row["intensity"] or "",
                float(row["value"]),
                float(low),
                float(high),
                float(row["level"]),
                log_se,
                _shared_variance(row, rows, log_se) if measure in PAIRED else 0.0,
                row["unit"] or "",
                row["n"],
                row["n_unit"] or "",
            )
        )
    return readings


def _log_se(row: Mapping[str, Any], low: float, high: float) -> float:
    """Return the standard error of the logarithm: as stated, by the delta method, or from the interval."""
    if row["se"] is not None:
        return float(row["se"]) if row["scale"] == "log" else float(row["se"]) / float(row["value"])
    if 0 < low < high < math.inf:
        return math.log(high / low) / (2 * NormalDist().inv_cdf(0.5 + row["level"] / 2))
    return math.nan


def _shared_variance(row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], log_se: float) -> float:
    """Return the error of the unconditioned response: that of the MEP at the test intensity of the pairs."""
    for other in rows:
        same = all(other[name] == row[name] for name in ("hemisphere", "muscle", "muscle_side", "intensity"))
        if same and other["measure"] == "MEP" and other["scale"] == "log" and other["se"] is not None:
            return min(float(other["se"]) ** 2, log_se**2)
    return math.nan


def _percent(text: str | None) -> tuple[float, str] | None:
    """Take ``"120 %RMT"`` apart; None where it is no such text."""
    number, _, unit = (text or "").partition(" ")
    try:
        return float(number), unit
    except ValueError:
        return None


def _in_rmt(text: str | None, threshold_mso: float | None) -> float | None:
    told = _percent(text)
    if told is None or told[1] == "%RMT":
        return None if told is None else told[0]
    return 100 * told[0] / threshold_mso if told[1] == "%MSO" and threshold_mso else None


def _over_threshold(text: str | None, threshold_mso: float | None) -> float | None:
    """Return a test intensity as one of 110, 120, ... % of the threshold; None below it or if unknown."""
    told, percent = _percent(text), _in_rmt(text, threshold_mso)
    if told is None or percent is None:
        return None
    least = _LEAST_INTENSITY if told[1] == "%RMT" else _LEAST_DERIVED_INTENSITY
    return _INTENSITY_STEP * round(percent / _INTENSITY_STEP) if percent >= least else None


def _is_test_pulse(
    row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], threshold_mso: float | None
) -> bool:
    """Tell whether an MEP of unknown intensity over the threshold is of the one test pulse there is."""
    if row["intensity"] and (threshold_mso is not None or row["intensity"].endswith("%RMT")):
        return False
    own = [
        other
        for other in rows
        if (other["hemisphere"], other["muscle"]) == (row["hemisphere"], row["muscle"])
    ]
    tests = {other["intensity"] for other in own if other["measure"] in PAIRED}
    singles = {other["intensity"] for other in own if other["measure"] == "MEP"}
    return tests == {row["intensity"]} or len(singles) == 1


def _one_muscle(readings: Sequence[Reading], muscles: Sequence[str]) -> list[Reading]:
    """Keep one muscle for each hemisphere, the same at all visits."""
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


def _only_once(readings: Sequence[Reading]) -> tuple[tuple[Reading, ...], tuple[Flag, ...]]:
    """Settle what stands there several times: conditioning intensities get cells of their own, the rest goes.

    MEPs that round to the same intensity: the one nearest to it was meant.
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
            nominal = _INTENSITY_STEP * round(one.conditioning_rmt / _INTENSITY_STEP)
            named = replace(one, cell=f"{one.cell} at {nominal:g} %RMT")
        key = named.visit, named.hemisphere, named.name
        before = kept.get(key)
        if before is not None and one.measure == "MEP" and one.cell and before.intensity != one.intensity:
            # Both stand for one intensity; more trials were given at the one that was meant.
            kept[key] = max(before, named, key=lambda reading: reading.n or 0)
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
