"""What a patient's recordings measured, on the axis that matters: before and after, pain side and other side.

A record keeps what was measured under the left and right hemisphere of each session. Here the sessions become
visits, the hemispheres become *pain* (contralateral to the affected limb) and *other*, and what can not be
placed is left out with a reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sudeck.core.flags import Flag
from sudeck.core.quantile import normal_quantile
from sudeck.core.vocabulary import Side, opposite, pain_side_hemisphere
from sudeck.study.answers.stimulated.hemisphere_reading import (
    INTENSITY_STEP,
    LEAST_DERIVED_INTENSITY,
    MEASURES,
    PAIRED,
    Reading,
)
from sudeck.study.answers.stimulated.reading_choice import choose_muscle, name_test_pulses, settle_repeats

# Ending of what threshold tracking measured: a ratio of thresholds, not of responses.
_TRACKED: Final = " tracked"
# Stated in per cent of the threshold, an intensity counts from here; derived, it must keep clear of it.
_LEAST_INTENSITY: Final = 110.0


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
        As `sudeck.study.measuring.records.stored_record` returns it.
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
    usable: dict[str, list[Mapping[str, Any]]] = {}
    for session, result in known.items():
        usable[session], trouble = _usable(patient, session, result["estimates"])
        readings += _session(patient, session, visits[session], usable[session], affected)
        flags += trouble
    single, twice = settle_repeats(name_test_pulses(choose_muscle(readings, muscles)))
    for session, rows in usable.items():
        flags += _no_mep(patient, session, rows, [one for one in single if one.session == session])
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
    thresholds = _thresholds(rows)
    readings = []
    for row in rows:
        measure, stimulated, muscle = row["measure"], row["hemisphere"], row["muscle"]
        if _is_ipsilateral(row) != (measure == "iSP"):
            continue  # an ipsilateral response is another pathway than the one these measures are of
        tested: Side = opposite(stimulated) if measure == "iSP" else stimulated
        threshold = thresholds.get((stimulated, muscle))
        cell, of_pairs = "", False
        if measure == "MEP":
            intensity = _over_threshold(row["intensity"], threshold)
            of_pairs = threshold is not None and _is_of_pairs(row, rows)
            if intensity is None and not of_pairs and not _is_test_pulse(row, rows, threshold):
                continue
            cell = f"{intensity / 100:g}" if intensity else ""
        elif measure in PAIRED:
            cell = "" if row["isi_ms"] is None else f"{row['isi_ms']:g}"
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
                _in_rmt(row["intensity"], threshold) if measure == "MEP" else None,
                of_pairs,
            )
        )
    return readings


def _thresholds(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], float]:
    """Return the threshold of each hemisphere and muscle, in % of stimulator output.

    That of a hemisphere is the one of the muscle across: what the muscle on the same side answers to is
    another pathway, and with both hands in one recording it stands under the same hemisphere and muscle.
    """
    return {
        (row["hemisphere"], row["muscle"]): row["value"]
        for row in rows
        if row["measure"] == "RMT" and not _is_ipsilateral(row)
    }


def _is_ipsilateral(row: Mapping[str, Any]) -> bool:
    return row["muscle_side"] is not None and row["muscle_side"] == row["hemisphere"]


def _no_mep(
    patient: str, session: str, rows: Iterable[Mapping[str, Any]], readings: Iterable[Reading]
) -> list[Flag]:
    """Flag hemispheres with MEPs of which none is of a known intensity far enough above the threshold."""
    tested = {row["hemisphere"] for row in rows if row["measure"] == "MEP" and not _is_ipsilateral(row)}
    placed = {reading.side for reading in readings if reading.measure == "MEP"}
    return [
        Flag(
            "mep-not-placed",
            f"{patient}, {session}: no MEP of the {side} hemisphere is of a known intensity of "
            f"{_LEAST_INTENSITY:g} % of the threshold or more, so the MEP is left out.",
            "caution",
            patient,
        )
        for side in sorted(tested - placed)
    ]


def _log_se(row: Mapping[str, Any], low: float, high: float) -> float:
    """Return the standard error of the logarithm: as stated, by the delta method, or from the interval."""
    if row["se"] is not None:
        return float(row["se"]) if row["scale"] == "log" else float(row["se"]) / float(row["value"])
    if 0 < low < high < math.inf:
        return math.log(high / low) / (2 * normal_quantile(row["level"]))
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
    given = _percent(text)
    if given is None or given[1] == "%RMT":
        return None if given is None else given[0]
    return 100 * given[0] / threshold_mso if given[1] == "%MSO" and threshold_mso else None


def _over_threshold(text: str | None, threshold_mso: float | None) -> float | None:
    """Return a test intensity as one of 110, 120, ... % of the threshold; None below it or if unknown."""
    given, percent = _percent(text), _in_rmt(text, threshold_mso)
    if given is None or percent is None:
        return None
    least = _LEAST_INTENSITY if given[1] == "%RMT" else LEAST_DERIVED_INTENSITY
    return INTENSITY_STEP * round(percent / INTENSITY_STEP) if percent >= least else None


def _is_of_pairs(row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> bool:
    """Tell whether an intensity in %MSO is that of the test pulse of all pairs."""
    same = ("hemisphere", "muscle", "muscle_side")
    tests = {
        other["intensity"]
        for other in rows
        if other["measure"] in PAIRED and all(other[name] == row[name] for name in same)
    }
    return tests == {row["intensity"]} and str(row["intensity"]).endswith("%MSO")


def _is_test_pulse(
    row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]], threshold_mso: float | None
) -> bool:
    """Tell whether an MEP of unknown intensity over the threshold is of the one test pulse there is."""
    if row["intensity"] and (threshold_mso is not None or row["intensity"].endswith("%RMT")):
        return False
    own = [
        other
        for other in rows
        if all(other[name] == row[name] for name in ("hemisphere", "muscle", "muscle_side"))
    ]
    tests = {other["intensity"] for other in own if other["measure"] in PAIRED}
    singles = {other["intensity"] for other in own if other["measure"] == "MEP"}
    return tests == {row["intensity"]} or len(singles) == 1
