"""The report of a study: who responds and how far that carries, each patient one step away."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.claim import Sentence
from sudeck.core.provenance import Provenance, SourceFile, sha256_of_file
from sudeck.core.storage import write_text
from sudeck.prediction.saved_model import ModelOrigin
from sudeck.report.kit.page import relative_link, render_page
from sudeck.report.kit.text import percent
from sudeck.report.study import course_rows, rows, words
from sudeck.report.study.calculator_page import CALCULATOR_FILE, calculator_page
from sudeck.report.study.figures import (
    calibration_figure,
    decision_figure,
    instability_figure,
    relief_figure,
)
from sudeck.report.study.patient_pages import (
    MECHANISM_PAGE,
    SCAN_PAGE,
    SCAN_THUMBNAIL,
    TMS_PAGE,
    TREATMENT_PAGE,
)
from sudeck.report.study.tripod import tripod_items
from sudeck.study.folder.layout import StudyFolder, open_study

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.study.answers.study_prediction import StudyPrediction

REPORT_FILE: Final = "report.html"
# The page depends on its input alone; the times of runs stand in run.json.
_CREATED: Final = "at the time that run.json states"
_TABLES: Final = ("participants", "pain", "treatment", "adverse_effects", "scan_ratios")
# Pages beside the report, by the place in it that leads to them.
_LINKED: Final = {
    "mechanism": (MECHANISM_PAGE, "Why it works: magnetic stimulation before and after treatment"),
    "treatment": (TREATMENT_PAGE, "What was given: exposure, what was on board when, safety"),
}
_NOT_USED: Final = ("tms_sessions", "muscles", "pairs")  # settings a prediction does not depend on


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """One scan on the sheet of scans."""

    participant_id: str
    page: str
    image: str
    caption: str


def write_study_report(root: Path, predicted: StudyPrediction, *, path: Path | None = None) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    root : Path
        The study folder.
    predicted : StudyPrediction
        From `sudeck.study.answers.who_responds.predict_study`.
    path : Path, optional
        Where to; report.html in the derivatives of the study unless given.

    Returns
    -------
    Path
        The report.
    """
    study = open_study(root)
    place = path or study.derivatives / REPORT_FILE
    calculator = study.derivatives / CALCULATOR_FILE
    if predicted.model is None:
        calculator.unlink(missing_ok=True)
    else:
        write_text(calculator, calculator_page(predicted.model, _origin(predicted)))
    write_text(place, study_report(study, predicted, place=place))
    return place


def study_report(study: StudyFolder, predicted: StudyPrediction, *, place: Path) -> str:
    """Render the report of a study as one HTML page that links to the page of every scan.

    Parameters
    ----------
    study : StudyFolder
    predicted : StudyPrediction
    place : Path
        Where the page will lie: links are relative to it.
    """
    cohort = predicted.cohort
    thumbnails = _thumbnails(study, predicted, place)
    pages = {thumbnail.participant_id: thumbnail.page for thumbnail in thumbnails}
    lines, axis = rows.patient_lines(predicted, pages, _recording_pages(study, predicted, place))
    failures = [
        {
            "where": " ".join(filter(None, (failure.participant_id, failure.session))),
            "what": failure.measure,
            "why": failure.reason,
        }
        for failure in cohort.failures
    ]
    return render_page(
        "study.html.j2",
        title=f"Who responds: {cohort.name}",
        provenance=_provenance(study, predicted),
        facts=_facts(predicted),
        mechanism=_link(study, place, "mechanism"),
        treatment=_link(study, place, "treatment"),
        calculator=relative_link(study.derivatives / CALCULATOR_FILE, place) if predicted.model else "",
        level=f"{100 * cohort.settings.level:g} %",
        sentences=words.sentences(predicted),
        caveats=words.caveats(predicted),
        warnings=_warnings(predicted),
        flow=rows.flow_rows(cohort),
        characteristics=rows.characteristics_rows(cohort),
        remarks=(*cohort.ratios.remarks, *cohort.outcomes.remarks),
        visits=course_rows.visit_rows(cohort.course),
        lasting=course_rows.lasting_note(cohort.course),
        effects=course_rows.effect_rows(cohort.course),
        treated=cohort.course.treated,
        efficacy=course_rows.EFFICACY,
        thumbnails=thumbnails,
        relief=relief_figure(predicted),
        analysis=rows.analysis_rows(predicted),
        reported=words.reported_sentence(predicted),
        rule=rows.rule_rows(predicted),
        by_criteria=_by_criteria(predicted),
        cutoffs=rows.cutoff_rows(predicted),
        best_of_several=predicted.cutoffs,
        model=predicted.model,
        coefficients=rows.coefficient_rows(predicted.model) if predicted.model else [],
        relief_coefficients=rows.coefficient_rows(predicted.relief_model) if predicted.relief_model else [],
        relief_model=predicted.relief_model,
        validation=rows.validation_rows(predicted),
        figures=_validation_figures(predicted),
        shrinkage=_shrinkage(predicted),
        groups=rows.group_rows(predicted),
        centres=rows.centre_rows(predicted),
        lines=lines,
        any_recordings=any(line.recordings for line in lines),
        axis=axis,
        refused=predicted.refused,
        failures=failures,
        tripod=tripod_items(predicted),
    )


def _origin(predicted: StudyPrediction) -> ModelOrigin:
    assert predicted.model is not None
    audit = {
        "study": predicted.cohort.name,
        "patients_needed": predicted.patients_needed,
        "validation": None if predicted.validation is None else predicted.validation.to_dict(),
    }
    return ModelOrigin.of(predicted.model, audit=audit)


def link_pages(study: StudyFolder) -> None:
    """Lead from the report of the study to the pages that were written after it: mechanism and treatment."""
    place = study.derivatives / REPORT_FILE
    if not place.is_file():
        return
    page = before = place.read_text(encoding="utf-8")
    for name in _LINKED:
        mark = f'<p class="note" id="{name}">'
        page = page.replace(f"{mark}</p>", f"{mark}{_link(study, place, name)}</p>", 1)
    if page != before:
        write_text(place, page)


def _link(study: StudyFolder, place: Path, name: str) -> Markup:
    from markupsafe import Markup

    file, words = _LINKED[name]
    page = study.derivatives / file
    if not page.is_file():
        return Markup("")
    return Markup('<a href="{}">{}</a>').format(relative_link(page, place), words)


def _facts(predicted: StudyPrediction) -> list[tuple[str, str]]:
    flow = predicted.cohort.flow
    return [
        ("Patients", f"{flow.enrolled}"),
        ("Scanned", f"{flow.scanned}"),
        ("Analysed", f"{flow.analysed}"),
        ("Responders", f"{flow.responders}"),
        ("Responder", str(predicted.cohort.settings.responder)),
    ]


def _warnings(predicted: StudyPrediction) -> list[Any]:
    flags = [*(predicted.model.flags if predicted.model else ())]
    flags += predicted.validation.flags if predicted.validation else ()
    return [flag for flag in flags if flag.severity != "info"]


def _by_criteria(predicted: StudyPrediction) -> list[dict[str, Any]]:
    if predicted.rule is None:
        return []
    return [
        {"met": met, "responders": some, "patients": total, "share": percent(some / total) if total else "–"}
        for met, (some, total) in enumerate(predicted.rule.responders_by_criteria_met)
    ]


def _validation_figures(predicted: StudyPrediction) -> list[tuple[Markup, str]]:
    if predicted.validation is None:
        return []
    figures = []
    if predicted.validation.calibration is not None:
        caption = (
            "Calibration, corrected for optimism. Dashed: perfect. Ticks: responders above, the others below."
        )
        figures.append((calibration_figure(predicted), caption))
    if predicted.decision is not None:
        caption = (
            "Decision curve, corrected for optimism. Below: net benefit of the model less that of the better "
            "default, treating all or none; where the band lies above zero, the model helps to decide."
        )
        figures.append((decision_figure(predicted), caption))
    caption = "Instability: the range of probabilities that models from bootstrap samples give each patient."
    figures.append((instability_figure(predicted), caption))
    return figures


def _shrinkage(predicted: StudyPrediction) -> Sentence:
    if predicted.validation is None:
        return Sentence("")
    if math.isnan(predicted.validation.measures["calibration_slope"].corrected):
        return Sentence(
            "The slope is withheld, so predictions are not shrunk: they are too extreme by an unknown factor."
        )
    if predicted.shrinkage == 1.0:
        return Sentence("The corrected slope is not below 1, so predictions are not shrunk.")
    return Sentence(
        f"Predictions are shrunk by {predicted.shrinkage:.2f}, the corrected slope: the probability of every "
        "patient here, the saved model and the page for one patient. This table and the figures are of the "
        "model before that."
    )


def _thumbnails(study: StudyFolder, predicted: StudyPrediction, place: Path) -> list[Thumbnail]:
    session = predicted.cohort.settings.scan_session
    found = []
    for row in predicted.cohort.table.to_dict("records"):
        pid = str(row["participant_id"])
        folder = study.patient_derivatives(pid)
        picture, page = folder / f"{session}_{SCAN_THUMBNAIL}", folder / f"{session}_{SCAN_PAGE}"
        if not (picture.is_file() and page.is_file()):
            continue
        data = b64encode(picture.read_bytes()).decode("ascii")
        image = f"data:image/png;base64,{data}"
        found.append(Thumbnail(pid, relative_link(page, place), image, _caption(row)))
    return found


def _recording_pages(
    study: StudyFolder, predicted: StudyPrediction, place: Path
) -> dict[str, list[tuple[str, str]]]:
    """Return, for each patient with recordings, the sessions and their pages."""
    found: dict[str, list[tuple[str, str]]] = {}
    for pid in predicted.cohort.table["participant_id"]:
        for session in predicted.cohort.settings.tms_sessions:
            page = study.patient_derivatives(pid) / f"{session}_{TMS_PAGE}"
            if page.is_file():
                found.setdefault(pid, []).append((session.removeprefix("ses-"), relative_link(page, place)))
    return found


def _caption(row: Mapping[Any, Any]) -> str:
    given = (row["affected_side"], row["limb"])
    return " ".join(word for word in given if isinstance(word, str))


def _provenance(study: StudyFolder, predicted: StudyPrediction) -> Provenance:
    files = [study.settings_file, *filter(None, (study.found_table(name) for name in _TABLES))]
    sources = [SourceFile(path.name, sha256_of_file(path), path.stat().st_size) for path in files]
    settings = predicted.cohort.settings.to_dict()
    used = {name: value for name, value in settings.items() if name not in _NOT_USED}
    return Provenance(sources, used, created=_CREATED)
