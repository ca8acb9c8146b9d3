"""The page of one patient: the own circuit, what it predicts, and every measure down to its recording."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.estimate import Estimate
from sudeck.core.provenance import Provenance, __version__, sha256_of, sha256_of_file
from sudeck.core.storage import write_text
from sudeck.report.kit.page import relative_link, render_page
from sudeck.report.kit.text import decimals_of, interval_text, number, percent
from sudeck.report.mechanism import circuit_rows, circuit_words, words
from sudeck.report.mechanism.curves import curve_figure, single_points
from sudeck.report.mechanism.drawing import circuit_figure
from sudeck.report.study.patient_pages import MECHANISM_PAGE, TMS_PAGE

if TYPE_CHECKING:
    from sudeck.mechanism.circuit_fit.explanation import Explanation
    from sudeck.study.answers.study_explanation import StudyExplanation
    from sudeck.study.folder.layout import StudyFolder

_CODE: Final = {".py", ".j2", ".css", ".mplstyle"}
_CREATED: Final = "at the times that the record of the patient states"
_DRAWING: Final = (
    "two hemispheres with their cells, every connection coloured by its strength, faded where unknown"
)


def write_patient_pages(study: StudyFolder, explained: StudyExplanation, *, back: Path) -> dict[str, Path]:
    """Write the page of every patient with a recording; one that would not change is left as it is.

    Parameters
    ----------
    study : StudyFolder
    explained : StudyExplanation
    back : Path
        The page of the study, which each leads back to.

    Returns
    -------
    dict of str to Path
        By patient.
    """
    circuits = {one.patient: one for one in explained.circuit}
    reasons = {failure.participant_id: failure.reason for failure in explained.circuit_failures}
    pages = {}
    for patient in explained.patients:
        place = study.patient_derivatives(patient) / MECHANISM_PAGE
        circuit, failure = circuits.get(patient), reasons.get(patient, "")
        mark = _fingerprint(study, explained, patient, circuit, failure, place)
        if not (place.is_file() and mark in place.read_text(encoding="utf-8", errors="replace")):
            page = patient_report(study, explained, patient, circuit, failure, place=place, back=back)
            write_text(place, page)
        pages[patient] = place
    return pages


def patient_report(
    study: StudyFolder,
    explained: StudyExplanation,
    patient: str,
    circuit: Explanation | None,
    failure: str = "",
    *,
    place: Path,
    back: Path,
) -> str:
    """Render the page of one patient.

    Parameters
    ----------
    study : StudyFolder
    explained : StudyExplanation
    patient : str
    circuit : Explanation or None
        None where it was not fitted.
    failure : str
        Why not.
    place, back : Path
        Where this page will lie, and the page of the study.
    """
    return render_page(
        "mechanism_patient.html.j2",
        title=f"Why it works: {patient}",
        provenance=Provenance((), {"level": explained.level}, created=_CREATED),
        level=f"{100 * explained.level:g}",
        back=relative_link(back, place),
        study_name=explained.name,
        recordings=_recordings(study, explained, patient, place),
        fingerprint=_fingerprint(study, explained, patient, circuit, failure, place),
        failure=failure or explained.refused.get("circuit", ""),
        circuit=_circuit(circuit) if circuit is not None else None,
        measures=_measures(explained, patient),
        visits=explained.visits,
        relief=_relief(explained, patient),
        outcome=explained.outcome,
    )


def _fingerprint(
    study: StudyFolder,
    explained: StudyExplanation,
    patient: str,
    circuit: Explanation | None,
    failure: str,
    place: Path,
) -> str:
    """Return a hash of everything the page of a patient is made of, the code that makes it included."""
    own = explained.measures[explained.measures["participant_id"] == patient]
    parts = (
        __version__,
        _code(),
        explained.name,
        explained.outcome,
        str(explained.level),
        str(explained.visits),
        patient,
        repr(circuit),
        failure or explained.refused.get("circuit", ""),
        own.to_csv(index=False),
        _relief(explained, patient),
        str(_recordings(study, explained, patient, place)),
    )
    return sha256_of("\0".join(parts).encode())


@cache
def _code() -> str:
    """Return a hash of the modules, templates and styles of all reports."""
    folder = Path(__file__).parents[1]
    files = sorted(path for path in folder.rglob("*") if path.suffix in _CODE)
    return sha256_of("".join(map(sha256_of_file, files)).encode())


def _circuit(circuit: Explanation) -> dict[str, Any]:
    """Return everything the page says of a fitted circuit."""
    visits = words.circuit_visits(circuit.visits)
    names = words.visit_names(visits)
    balance = circuit_rows.balance_of(circuit)
    return {
        "says": circuit_words.patient_sentences(circuit, balance, names),
        "hypotheses": circuit_rows.hypothesis_rows(circuit),
        "drawing": circuit_figure(
            [(names[visit], circuit_rows.drawn_factors(circuit, visit)) for visit in visits],
            name="circuit",
            description=f"{circuit.patient}: {_DRAWING}",
        ),
        "curves": curve_figure(circuit.curves, circuit.visits, name="curves"),
        "single": single_points(circuit.curves),
        "factors": circuit_rows.factor_rows(circuit, visits),
        "titles": [names[visit] for visit in visits],
        "left_open": circuit_words.left_open(circuit.factors, visits, circuit_rows.measured_kinds([circuit])),
        "effective": percent(circuit.effective),
        "exact": circuit.exact,
        "flags": circuit.flags,
    }


def _recordings(
    study: StudyFolder, explained: StudyExplanation, patient: str, place: Path
) -> list[tuple[str, str]]:
    """Return the sessions of a patient and the pages of their recordings."""
    found = []
    own = explained.measures[explained.measures["participant_id"] == patient]
    for visit, session in dict.fromkeys(zip(own["visit"], own["session"], strict=True)):
        page = study.patient_derivatives(patient) / f"{session}_{TMS_PAGE}"
        if page.is_file():
            found.append((str(visit), relative_link(page, place)))
    return found


def _measures(explained: StudyExplanation, patient: str) -> list[dict[str, Any]]:
    """Return a row for each measure of the patient, a cell for each hemisphere and visit.

    A measure that is one interval or intensity by another name stands there once.
    """
    own = explained.measures[explained.measures["participant_id"] == patient].to_dict("records")
    cells: dict[str, dict[tuple[str, str], Mapping[Any, Any]]] = {}
    for row in own:
        cells.setdefault(str(row["measure"]), {})[str(row["hemisphere"]), str(row["visit"])] = row
    named = [(row["of"], row["hemisphere"], row["visit"], row["value"]) for row in own]
    rows = []
    for measure in sorted(cells, key=words.place_of_measure):
        if all((measure, side, at, one["value"]) in named for (side, at), one in cells[measure].items()):
            continue
        found = cells[measure]
        unit = next((row["unit"] for row in found.values() if isinstance(row["unit"], str)), "")
        estimates = {key: _estimate(row) for key, row in found.items()}
        places = min((decimals_of(one) for one in estimates.values()), default=2)
        rows.append(
            {
                "name": words.measure_text(measure) + (f" ({unit})" if unit else ""),
                "of": _made_of(found),
                "cells": [
                    _measure_cell(estimates.get((side, visit)), places)
                    for side in ("pain", "other")
                    for visit in explained.visits
                ],
            }
        )
    return rows


def _made_of(found: Mapping[tuple[str, str], Mapping[Any, Any]]) -> str:
    """Return which intervals or intensities a named measure is the mean of, by side where these differ."""
    parts = {side: row["of"] for (side, _), row in found.items() if isinstance(row["of"], str)}
    text = {side: "; ".join(map(words.measure_text, of.split(", "))) for side, of in parts.items()}
    if len(set(text.values())) < 2:
        return next(iter(text.values()), "")
    return "; ".join(f"{of} ({words.SIDES[side]})" for side, of in text.items())


def _estimate(row: Mapping[Any, Any]) -> Estimate:
    """Return the estimate of a row of the table; where it has no interval, one that is a point."""
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    return Estimate(str(row["measure"]), value, *((low, high) if low <= value <= high else (value, value)))


def _measure_cell(estimate: Estimate | None, places: int) -> dict[str, str]:
    if estimate is None:
        return {"value": "", "interval": ""}
    interval = "" if estimate.low == estimate.high else interval_text(estimate, places)
    return {"value": number(estimate.value, places), "interval": interval}


def _relief(explained: StudyExplanation, patient: str) -> str:
    own = explained.factors[explained.factors["participant_id"] == patient]
    if own.empty or not own["relief"].notna().any():
        return "not known"
    return number(float(own["relief"].iloc[0]), 0 if "%" in explained.outcome else 1)
