"""The table that `sudeck explain` starts from: each interval by itself, and one row for each named measure.

A named measure is the geometric mean of its intervals, all of equal weight, over the intervals that *every*
visit and both hemispheres of that patient have. So a change, or a difference between hemispheres, is never
one of intervals or of weights; which intervals they are may differ between patients, each of whom is compared
with oneself. The intervals share the unconditioned response, whose error therefore does not average out: with
k intervals the variance of the mean logarithm is the mean of the unshared parts over k, plus the shared part.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.flags import Flag
from sudeck.core.quantile import normal_quantile
from sudeck.core.storage import write_tsv
from sudeck.study.answers.stimulated.hemisphere_reading import MEASURES, Reading
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.patient_measures import trials_name
from sudeck.study.measuring.records import record_file

if TYPE_CHECKING:
    import pandas as pd

MEASURES_TABLE: Final = "measures.tsv"
GROUP, CIRCUIT, BOTH = "group", "circuit", "group and circuit"

# Conditioning intensities of the circuit's protocols, in per cent of the threshold.
_CIRCUIT_CONDITIONING: Final = {"SICI": 80.0, "ICF": 80.0, "LICI": 120.0, "IHI": 120.0}
_OUTSIDE_CIRCUIT: Final = ("SAI",)
_USUAL_INTENSITY: Final = 1.2  # of the MEP, over the threshold
# Share of the error that two intervals have in common where the recording does not tell: as many trials of
# equal spread in the conditioned and in the unconditioned mean.
_ASSUMED_SHARED: Final = 0.5

COLUMNS: Final = {
    "participant_id": "The patient",
    "visit": "Visit: the session without ses-",
    "hemisphere": "pain: contralateral to the affected limb; other: the other one. Of the tested hemisphere",
    "measure": "Named measure, or one interval or intensity of it, as in SICI_2.5 and MEP_1.2",
    "value": "Estimate",
    "low": "Lower end of its interval",
    "high": "Upper end of its interval",
    "level": "Coverage of the interval",
    "log_se": "Standard error of the natural logarithm",
    "unit": "Unit; none for a ratio",
    "used_for": "group: statistics over patients; circuit: the circuit of the patient",
    "of": "What a named measure is the geometric mean of",
    "n": "How much data it rests on",
    "n_unit": "What n counts",
    "side": "The same hemisphere as recorded, left or right",
    "muscle": "Recorded muscle",
    "isi_ms": "Interval from conditioning to test pulse, in milliseconds",
    "intensity": "Intensity of the test pulse",
    "conditioning_rmt": "Intensity of the conditioning pulse, in percent of the threshold of its hemisphere",
    "session": "Session of the recording",
    "record": "Record of the patient that holds the estimate, relative to this table",
    "trials": "Table of the trials it rests on, relative to this table",
}


@dataclass(frozen=True)
class StimulationTable:
    """Every measure of every patient on the pain-side and other hemisphere.

    Attributes
    ----------
    frame : DataFrame
        Columns as in `COLUMNS`.
    flags : tuple of Flag
        What could not be taken in.
    """

    frame: pd.DataFrame
    flags: tuple[Flag, ...]

    def used_for(self, purpose: str) -> pd.DataFrame:
        """Return the rows for ``"group"`` or ``"circuit"``."""
        chosen = self.frame[self.frame["used_for"].isin((purpose, BOTH))]
        return chosen.reset_index(drop=True)

    def write(self, study: StudyFolder) -> None:
        """Write measures.tsv with its sidecar."""
        rows: list[dict[str, Any]] = [
            {str(name): _blank_to_none(value) for name, value in row.items()}
            for row in self.frame.to_dict("records")
        ]
        write_tsv(study.derivatives / MEASURES_TABLE, rows, columns=COLUMNS)


def tabulate_stimulation(
    study: StudyFolder,
    readings: Mapping[str, Sequence[Reading]],
    flags: Iterable[Flag] = (),
    *,
    visits: Sequence[str],
) -> StimulationTable:
    """Join the readings of all patients into one table.

    Parameters
    ----------
    study : StudyFolder
        For the names of the files each row came from.
    readings : Mapping of str to sequence of Reading
        By patient.
    flags : iterable of Flag
        Of the readings, kept with the table.
    visits : sequence of str
        In order of time.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    found = list(flags)
    for patient, own in readings.items():
        combined, trouble = combine_intervals(own)
        found += trouble
        shown = [(reading, CIRCUIT, "") for reading in for_circuit(own)]
        # What stands alone serves both purposes and is listed once.
        alone = {(one.visit, one.hemisphere, one.name) for one, _, _ in shown}
        for one, of in combined:
            key = one.visit, one.hemisphere, one.name
            if key in alone:
                shown = [
                    (o, BOTH if (o.visit, o.hemisphere, o.name) == key else use, how) for o, use, how in shown
                ]
            else:
                shown.append((one, GROUP, of))
        shown.sort(key=lambda item: _place(item[0], visits))
        rows += [_row(study, patient, reading, use, of) for reading, use, of in shown]
    return StimulationTable(pd.DataFrame(rows, columns=list(COLUMNS)), tuple(found))


def _place(reading: Reading, visits: Sequence[str]) -> tuple[int, bool, int, float]:
    """Order rows by visit, pain side first, then measure, the named measure before its intervals."""
    number = float(reading.cell.partition(" ")[0] or 0)
    return visits.index(reading.visit), reading.hemisphere != "pain", MEASURES.index(reading.measure), number


def for_circuit(readings: Iterable[Reading]) -> list[Reading]:
    """Return readings as the circuit names them: of several conditioning intensities the circuit's own.

    The circuit has no nerve to the hand: afferent inhibition (SAI) is for the statistics over patients alone.
    """
    best: dict[tuple[str, str, str], Reading] = {}
    for one in readings:
        if one.measure in _OUTSIDE_CIRCUIT:
            continue
        plain = replace(one, cell=one.cell.partition(" ")[0])
        key = plain.visit, plain.hemisphere, plain.name
        if key not in best or _from_circuit(one) < _from_circuit(best[key]):
            best[key] = plain
    return list(best.values())


def _from_circuit(reading: Reading) -> float:
    usual = _CIRCUIT_CONDITIONING.get(reading.measure)
    if usual is None or reading.conditioning_rmt is None:
        return math.inf
    return abs(reading.conditioning_rmt - usual)


def combine_intervals(
    readings: Sequence[Reading],
) -> tuple[list[tuple[Reading, str]], list[Flag]]:
    """Return one reading for each named measure, visit and hemisphere of one patient.

    Returns
    -------
    combined : list of (Reading, str)
        The combined reading, whose name is the measure, and the names of what it is the mean of.
    flags : list of Flag
        Measures of which no interval is common to the visits.

    Examples
    --------
    Two intervals, each with a log error of 0.2 of which 0.1 is of the unconditioned response they share:

    >>> from math import sqrt
    >>> round(sqrt(mean_variance([0.04, 0.04], [0.01, 0.01])), 3)
    0.158
    """
    combined: list[tuple[Reading, str]] = []
    flags: list[Flag] = []
    for measure in MEASURES:
        own = [one for one in readings if one.measure == measure]
        cells: dict[tuple[str, str], set[str]] = defaultdict(set)
        for one in own:
            cells[_place_of(one)].add(one.cell)
        everywhere = _common(cells.values())
        for hemisphere in ("pain", "other"):
            here = {place: found for place, found in cells.items() if place[1] == hemisphere}
            if not here:
                continue
            common = everywhere or _common(here.values())
            if not common:
                text = (
                    f"{own[0].patient}: {measure} of the {hemisphere} hemisphere was measured at different "
                    "intervals or intensities at each visit, which can not be compared."
                )
                flags.append(Flag("intervals-differ", text, "caution", own[0].patient))
                continue
            if measure == "MEP":
                tests = [
                    {one.cell for one in own if _place_of(one) == place and one.of_pairs} for place in here
                ]
                common = {min(_common(tests) or common, key=_from_usual_intensity)}
            for place in here:
                parts = [one for one in own if _place_of(one) == place and one.cell in common]
                combined.append(_mean(parts))
    return combined, flags


def _place_of(reading: Reading) -> tuple[str, str]:
    return reading.visit, reading.hemisphere


def _from_usual_intensity(cell: str) -> float:
    return abs(float(cell or _USUAL_INTENSITY) - _USUAL_INTENSITY)


def _common(cells: Iterable[set[str]]) -> set[str]:
    listed = list(cells)
    return set.intersection(*listed) if listed else set()


def _mean(parts: Sequence[Reading]) -> tuple[Reading, str]:
    """Return the geometric mean of readings of one measure, visit and hemisphere, and their names."""
    first = parts[0]
    names = ", ".join(one.name for one in parts if one.cell)
    if len(parts) == 1:
        return replace(first, cell=""), names
    log_mean = math.fsum(math.log(one.value) for one in parts) / len(parts)
    log_se = math.sqrt(
        mean_variance([one.log_se**2 for one in parts], [one.shared_variance for one in parts])
    )
    reach = normal_quantile(first.level) * log_se
    intensities = {one.intensity for one in parts}
    return (
        replace(
            first,
            cell="",
            isi_ms=None,
            conditioning_rmt=None,
            intensity=intensities.pop() if len(intensities) == 1 else "",
            value=math.exp(log_mean),
            low=math.exp(log_mean - reach),
            high=math.exp(log_mean + reach),
            log_se=log_se,
            n=None,
            n_unit="",
        ),
        names,
    )


def mean_variance(variances: Sequence[float], shared: Sequence[float]) -> float:
    """Return the variance of the mean of logarithms that have one part of their errors in common.

    Parameters
    ----------
    variances : sequence of float
        Squared standard errors.
    shared : sequence of float
        The part of each that is of the unconditioned response; NaN where not known, and then half of the
        smallest variance is taken to be shared.

    Notes
    -----
    Any two share no more than the smaller of their shared parts.
    """
    count = len(variances)
    known = [part if math.isfinite(part) else _ASSUMED_SHARED * min(variances) for part in shared]
    total = math.fsum(variances)
    for i in range(count):
        total += 2 * math.fsum(min(known[i], known[j]) for j in range(i + 1, count))
    return total / count**2


def _row(study: StudyFolder, patient: str, reading: Reading, use: str, of: str) -> dict[str, Any]:
    record = record_file(study, patient).relative_to(study.derivatives)
    measured: dict[str, Any] = {name: getattr(reading, name) for name in COLUMNS if hasattr(reading, name)}
    return measured | {
        "participant_id": patient,
        "measure": reading.measure if use == GROUP else reading.name,
        "low": reading.low if math.isfinite(reading.low) else None,
        "high": reading.high if math.isfinite(reading.high) else None,
        "used_for": use,
        "of": of,
        "record": record.as_posix(),
        "trials": record.with_name(trials_name(reading.session)).as_posix(),
    }


def _blank_to_none(value: Any) -> Any:
    return None if value == "" or value is None or (isinstance(value, float) and math.isnan(value)) else value
