"""What was measured in a study folder, number by number against what is true of its patients.

The truth lies in files of its own, one or two a patient: ``<participant>_scan.json`` with ``image_ratios``
and ``uptake_ratios``, and perhaps a ``design`` with ``limb`` and ``counts_per_limb``;
``<participant>_tms.json`` with measures by visit and hemisphere (``RMT``, ``SICI``, ``ICF``, ``MEP at 56
%MSO``). What a file does not tell is not scored.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from sudeck.core.claim import INTERVAL, Claim
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.records import stored_record
from sudeck.synthetic.scan.scan_design import CLINICAL_COUNTS
from sudeck.truth.faults import MIRROR_SHIFTED, scans_with_mirror_shifted, with_fault
from sudeck.truth.given_truth import read_true_scan, read_true_stimulation
from sudeck.truth.page_ledger import SCAN_LEDGER, TMS_LEDGER, read_claims

Numbers = dict[str, tuple[float, ...]]

STRATA: Final = (0.0, 0.1, 0.2, 0.4, 0.6, math.inf)  # of |log ratio|
_COUNTS: Final = (0.0, 0.5, 1.0, math.inf)  # of a limb in the delayed image, in those of a usual scan
STIMULATION: Final = ("RMT", "MEP", "SICI", "ICF")
_QUANTITIES: Final = {"image": "estimates", "uptake": "uptake_estimates"}
RESIDUAL: Final = "residual of "  # an error over the stated one, with its sign


def score_patients(study: StudyFolder, truth: Path, *, fault: str = "") -> dict[str, Numbers]:
    """Hold every ratio and every measure of stimulation against the truth.

    Parameters
    ----------
    study : StudyFolder
        Measured by `sudeck.study.measuring.run.run_study`.
    truth : Path
        Folder of the truth.
    fault : str
        Of `sudeck.truth.faults`, planted in what was measured.

    Returns
    -------
    dict of str to dict of str to tuple of float
        By patient, then by what is scored, as in `sudeck.truth.row.StudyRow`.
    """
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(truth.glob("*_scan.json")):
        patient = path.name.removesuffix("_scan.json")
        record = stored_record(study, patient) or {}
        truth_of_scan = read_true_scan(path)
        scans = (
            scans_with_mirror_shifted(study, patient) if fault == MIRROR_SHIFTED else record.get("scans", {})
        )
        _score_scan(found[patient], list(scans.values()), truth_of_scan, fault)
        for claims in read_claims(study.patient_derivatives(patient), SCAN_LEDGER):
            _score_page(found[patient], claims, truth_of_scan)
    rows = _stimulation_rows(study)
    for path in sorted(truth.glob("*_tms.json")):
        patient = path.name.removesuffix("_tms.json")
        own = [row for row in rows if row["participant_id"] == patient]
        given = read_true_stimulation(path)
        _score_stimulation(found[patient], own, given)
        for claims in read_claims(study.patient_derivatives(patient), TMS_LEDGER):
            score_recording(found[patient], claims, given)
    return {
        patient: {name: tuple(values) for name, values in numbers.items()}
        for patient, numbers in found.items()
    }


def stratum(ratio: float) -> str:
    """Return how far a ratio lies from 1, in words.

    Examples
    --------
    >>> stratum(1.3)
    '|log ratio| 0.2 to 0.4'
    """
    size = abs(math.log(ratio))
    return next(name for name, high in zip(stratum_names(), STRATA[1:], strict=True) if size < high)


def stratum_names() -> tuple[str, ...]:
    """Return the names of all strata, the nearest to 1 first."""
    return tuple(
        f"|log ratio| {low:g} to {high:g}" if math.isfinite(high) else f"|log ratio| above {low:g}"
        for low, high in pairwise(STRATA)
    )


def design_stratum_names() -> tuple[str, ...]:
    """Return the names of the strata of limb and counts."""
    counts = (f"counts {low:g} to {high:g} of usual" for low, high in pairwise(_COUNTS[:-1]))
    return ("hand", "foot", *counts, f"counts above {_COUNTS[-2]:g} of usual")


def _design_strata(design: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the strata of a scan by limb and by counts, as far as its truth tells."""
    found = [name for name in ("hand", "foot") if design.get("limb") == name]
    counts = design.get("counts_per_limb", {}).get("bone")
    if counts is not None:
        share = counts / CLINICAL_COUNTS["bone"]
        found.append(
            next(n for n, top in zip(design_stratum_names()[2:], _COUNTS[1:], strict=True) if share < top)
        )
    return tuple(found)


def _score_scan(
    numbers: dict[str, list[float]],
    results: Sequence[Mapping[str, Any]],
    truth: Mapping[str, Any],
    fault: str,
) -> None:
    numbers["scan: nothing measured"].append(not any(one.get("estimates") for one in results))
    strata = _design_strata(truth.get("design", {}))
    for quantity, key in _QUANTITIES.items():
        true = _six(truth.get(f"{quantity}_ratios", {}))
        for found in results:
            for name, estimate in found.get(key, {}).items():
                if name in true:
                    _score_ratio(numbers, quantity, name, with_fault(estimate, fault), true[name], strata)
    for found in results:
        _keep_residuals(numbers, found.get("estimates", {}), truth.get("image_ratios", {}))


def _score_page(numbers: dict[str, list[float]], claims: Sequence[Claim], truth: Mapping[str, Any]) -> None:
    true = {
        f"{quantity} {name}": value
        for quantity in _QUANTITIES
        for name, value in _six(truth.get(f"{quantity}_ratios", {})).items()
    }
    scored = [(claim, true[claim.estimand]) for claim in claims if claim.estimand in true]
    numbers["scan page: a false claim"].append(any(not claim.holds(value) for claim, value in scored))
    numbers["scan page: a side or cut-off that is called sure, falsely"].extend(
        not claim.holds(value) for claim, value in scored if claim.budget != INTERVAL
    )
    phases = [(claim, value) for claim, value in scored if 1.0 in (claim.low, claim.high)]
    if truth.get("uptake_ratios") and all(
        math.isclose(value, 1.0, abs_tol=1e-3) for value in truth["uptake_ratios"].values()
    ):
        numbers["scan page: an asymmetry of equal limbs"].append(bool(phases))


def score_recording(
    numbers: dict[str, list[float]],
    claims: Sequence[Claim],
    truth: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> None:
    """Add what the page of a recording claims, against what is true by visit and hemisphere."""
    true = {
        f"{name}, {side}, {visit}": value
        for visit, sides in truth.items()
        for side, measures in sides.items()
        for name, value in measures.items()
    }
    scored = [(claim, true[claim.estimand]) for claim in claims if claim.estimand in true]
    words = [claim.holds(value) for claim, value in scored if claim.budget != INTERVAL]
    if scored:
        numbers["recording page: a false claim"].append(not all(words))
    held = [claim.holds(value) for claim, value in scored if claim.budget == INTERVAL]
    numbers["recording page: interval holds the true one"].extend(held)


def _score_ratio(
    numbers: dict[str, list[float]],
    quantity: str,
    name: str,
    estimate: Mapping[str, Any],
    true: float,
    strata: Sequence[str],
) -> None:
    held = estimate["low"] <= true <= estimate["high"]
    what = f"{quantity} ratio: interval holds the true one"
    kind = "phase ratios" if name in PHASE_RATIOS.values() else "ratios of ratios"
    for stated in (what, *(f"{what}, {part}" for part in (kind, stratum(true), *strata))):
        numbers[stated].append(held)
    error = math.log(estimate["value"] / true)
    numbers[f"{quantity} ratio: relative error"].append(error**2)
    if estimate.get("se"):
        numbers[f"{quantity} ratio: error over stated error"].append((error / estimate["se"]) ** 2)


def _keep_residuals(
    numbers: dict[str, list[float]], estimates: Mapping[str, Mapping[str, Any]], true: Mapping[str, float]
) -> None:
    """Add what the three phases of one scan are off, in stated errors, where all three are known.

    Of the image ratios: these are what a study learns from.
    """
    names = tuple(PHASE_RATIOS.values())
    if not all(name in true and estimates.get(name, {}).get("se") for name in names):
        return
    for name in names:
        error = math.log(estimates[name]["value"] / true[name])
        numbers[f"{RESIDUAL}{name}"].append(error / estimates[name]["se"])


def _score_stimulation(
    numbers: dict[str, list[float]],
    rows: Sequence[Mapping[str, str]],
    truth: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> None:
    for row in rows:
        visit = row["visit"].removeprefix("ses-")
        name, given = row["measure"], truth.get(visit, {}).get(row["hemisphere"], {})
        true = given.get(name, given.get(f"{name} at {row['intensity']}"))
        if true is None or name not in STIMULATION:
            continue
        value, low, high, se = (_number(row[column]) for column in ("value", "low", "high", "se"))
        score_measure(numbers, name, (value, low, high, se), true, linear=row["scale"] == "linear")


def score_measure(
    numbers: dict[str, list[float]],
    name: str,
    measured: tuple[float, float, float, float],
    true: float,
    *,
    linear: bool,
) -> None:
    """Add a measure of stimulation, its interval and its standard error, against its truth."""
    value, low, high, se = measured
    numbers[f"{name}: interval holds the true one"].append(low <= true <= high)
    error = math.log(value / true) if value > 0 else math.nan
    if math.isfinite(error):
        numbers[f"{name}: log of measured over true"].append(error)
    own = value - true if linear else error
    if math.isfinite(se) and se > 0 and math.isfinite(own):
        numbers[f"{name}: error over stated error"].append((own / se) ** 2)
        numbers[f"{RESIDUAL}{name}"].append(own / se)


def _six(phases: Mapping[str, float]) -> dict[str, float]:
    six = dict(phases)
    for name in RATIOS_OF_RATIOS:
        over, under = name.split("/")
        if over in phases and under in phases:
            six[name] = phases[over] / phases[under]
    return six


def _stimulation_rows(study: StudyFolder) -> list[dict[str, str]]:
    path = study.derivatives / "tms.tsv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def _number(text: str) -> float:
    return math.nan if text == "n/a" else float(text)


def merged(*scores: Mapping[str, Sequence[float]]) -> Numbers:
    """Return the numbers of several scores together."""
    found: dict[str, list[float]] = defaultdict(list)
    for score in scores:
        for name, values in score.items():
            found[name] += values
    return {name: tuple(values) for name, values in found.items()}
