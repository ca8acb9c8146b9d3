"""The page of the treatment: every course on one axis of time, the cohort against the literature, safety."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sudeck.core.provenance import Provenance, SourceFile, sha256_of_file
from sudeck.core.storage import write_text
from sudeck.ketamine.safety import LIVER_SOURCE, MONITORING, MONITORING_SOURCE
from sudeck.report.ketamine import rows, words
from sudeck.report.ketamine.course_drawing import backdrop_definitions, course_drawing
from sudeck.report.ketamine.figures import literature_figure
from sudeck.report.kit.page import render_page
from sudeck.report.study.page import link_pages
from sudeck.report.study.patient_pages import TREATMENT_PAGE
from sudeck.study.folder.layout import StudyFolder, open_study

if TYPE_CHECKING:
    from sudeck.study.answers.study_treatment import StudyTreatment

_CREATED: Final = "at the time the page was written"
_TABLES: Final = (
    "participants",
    "sessions",
    "pain",
    "treatment",
    "adverse_effects",
    "labs",
    "vitals",
)
_ALL_OPEN: Final = 6  # courses that all stand open; of more, the first


def write_treatment_report(root: Path, described: StudyTreatment) -> Path:
    """Write the page of the treatment.

    Parameters
    ----------
    root : Path
        The study folder.
    described : StudyTreatment
        From `sudeck.study.answers.study_treatment.describe_treatment`.

    Returns
    -------
    Path
        ``derivatives/sudeck/ketamine.html``.
    """
    study = open_study(root)
    place = study.derivatives / TREATMENT_PAGE
    write_text(place, treatment_report(study, described))
    link_pages(study)
    return place


def treatment_report(study: StudyFolder, described: StudyTreatment) -> str:
    """Render the page of the treatment as one HTML file.

    Parameters
    ----------
    study : StudyFolder
    described : StudyTreatment
    """
    safety = described.safety
    level = described.settings.ketamine_level_ng_per_ml
    drawings = [
        (one, drawing)
        for one in described.courses
        if (drawing := course_drawing(one, described.backdrop, level)) is not None
    ]
    return render_page(
        "ketamine.html.j2",
        title=f"What was given: {described.name}",
        provenance=_provenance(study, described),
        facts=_facts(described),
        sentences=words.sentences(described),
        caveats=words.CAVEATS,
        cautions=[flag for flag in described.flags if flag.severity != "info"],
        literature=literature_figure(described),
        yardsticks=described.yardsticks,
        patients=rows.patient_rows(described),
        level=f"{level:g}",
        board=rows.board_rows(described),
        co_medication=words.CO_MEDICATION,
        definitions=backdrop_definitions(described.backdrop),
        courses=[
            (one.patient, rows.exposure_text(one.exposure.area) if one.exposure else "", drawing)
            for one, drawing in drawings
        ],
        all_open=len(drawings) <= _ALL_OPEN,
        scenario=rows.scenario_table(),
        liver=rows.liver_rows(safety),
        liver_source=LIVER_SOURCE,
        vitals=rows.vital_rows(safety),
        limits=safety.limits,
        harms=rows.harm_rows(safety),
        harm_level=f"{100 * described.settings.level:g}",
        published_harms=rows.published_harm_rows(),
        monitoring=MONITORING,
        monitoring_source=MONITORING_SOURCE,
        findings=described.findings,
        flags=described.flags,
    )


def _facts(described: StudyTreatment) -> list[tuple[str, str]]:
    treated = sum(bool(one.regimen) for one in described.courses)
    return [
        ("Patients", str(len(described.courses))),
        ("With ketamine", str(treated)),
        ("With exposure", str(len(described.exposed))),
        ("Model", described.settings.ketamine_model),
    ]


def _provenance(study: StudyFolder, described: StudyTreatment) -> Provenance:
    files = [study.settings_file, *filter(None, (study.found_table(name) for name in _TABLES))]
    sources = [SourceFile(path.name, sha256_of_file(path), path.stat().st_size) for path in files]
    used = described.settings.to_dict()["ketamine"]
    return Provenance(sources, used, created=_CREATED)
