"""The report of the mechanism: what changed, what goes with relief, and the circuit of each patient."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.provenance import Provenance, SourceFile, sha256_of_file
from sudeck.core.storage import write_text
from sudeck.mechanism.circuit_fit.explanation import IDENTIFIED_BELOW
from sudeck.mechanism.measure_table import MeasureTable, tabulate_measures
from sudeck.report.kit.page import relative_link, render_page
from sudeck.report.mechanism import circuit_rows, circuit_words, rows, words
from sudeck.report.mechanism.drawing import OF_CHANGE, circuit_figure
from sudeck.report.mechanism.pairs import pair_figures
from sudeck.report.mechanism.patient import write_patient_pages
from sudeck.report.mechanism.scatter import association_figure
from sudeck.report.study.page import REPORT_FILE, link_pages
from sudeck.report.study.patient_pages import MECHANISM_PAGE
from sudeck.study.answers.patient_factors import OUTCOME
from sudeck.study.answers.stimulated.stimulation_table import GROUP, MEASURES_TABLE, StimulationTable
from sudeck.study.answers.why import MECHANISM_FILE
from sudeck.study.folder.layout import StudyFolder, open_study

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.core.flags import Flag
    from sudeck.study.answers.study_explanation import StudyExplanation

_CREATED: Final = "at the times that the records of the patients state"
_DRAWING: Final = (
    "two hemispheres with their cells, every connection coloured by its strength, faded where unknown"
)


def write_mechanism_report(root: Path, explained: StudyExplanation) -> Path:
    """Write the page of the mechanism, and one page for each patient beside the patient's other results.

    Parameters
    ----------
    root : Path
        The study folder.
    explained : StudyExplanation
        From `sudeck.study.answers.why.explain_study`.

    Returns
    -------
    Path
        ``derivatives/sudeck/mechanism.html``.
    """
    study = open_study(root)
    place = study.derivatives / MECHANISM_PAGE
    pages = write_patient_pages(study, explained, back=place)
    links = {patient: relative_link(page, place) for patient, page in pages.items()}
    write_text(place, mechanism_report(study, explained, links, place=place))
    link_pages(study)
    return place


def mechanism_report(
    study: StudyFolder, explained: StudyExplanation, links: Mapping[str, str], *, place: Path
) -> str:
    """Render the page of the mechanism as one HTML file.

    Parameters
    ----------
    study : StudyFolder
    explained : StudyExplanation
    links : Mapping of str to str
        From this page to that of each patient.
    place : Path
        Where the page will lie.
    """
    group, circuit = explained.group, explained.circuit
    table = _group_table(explained) if group is not None else None
    patients, axis, accounts = circuit_rows.patient_rows(circuit, links)
    visits = words.circuit_visits(explained.visits)
    medians = circuit_rows.median_explanation(circuit)
    shown = [visit for visit in visits if visit in medians]
    together = explained.circuit_group
    names = words.visit_names(visits)
    together_drawing = None
    if together is not None:
        together_drawing = circuit_figure(
            [(names[words.CHANGE], circuit_rows.together_factors(together))],
            name="together",
            description=f"all patients together: {_DRAWING}",
            strength=OF_CHANGE,
        )
    study_page = study.derivatives / REPORT_FILE
    return render_page(
        "mechanism.html.j2",
        title=f"Why it works: {explained.name}",
        provenance=_provenance(study, explained),
        facts=_facts(explained),
        level=f"{100 * explained.level:g}",
        study_page=relative_link(study_page, place) if study_page.is_file() else "",
        together=circuit_rows.together_rows(together),
        together_drawing=together_drawing,
        sentences=(
            *words.together_sentences(together),
            *words.sentences(
                len(explained.patients), explained.visits, group, circuit, len(explained.circuit_failures)
            ),
            *circuit_words.group_balance_sentence(circuit_rows.balances(circuit), names),
        ),
        caveats=words.CAVEATS,
        cautions=[flag for flag in explained.flags if flag.severity == "serious"],
        pattern=rows.pattern_rows(group.pattern) if group else [],
        changes=rows.change_tables(group.changes, table) if group and table else (),
        covariates=group.changes.covariates if group else (),
        asymmetries=rows.asymmetry_rows(group.changes) if group and group.changes.asymmetries else None,
        pairs=pair_figures(table, links) if table else [],
        healthy=rows.healthy_rows(group.healthy) if group else [],
        outcome=explained.outcome,
        associations=rows.association_rows(group.associations) if group else [],
        scatter=_scatter(explained, table),
        power=words.power_sentences(group) if group else (),
        power_rows=rows.power_rows(group) if group else [],
        reported=words.reported_sentences(explained.reported),
        unanswered=words.unanswered_sentences(explained.unanswered),
        drawing=circuit_figure(
            [(names[visit], medians[visit]) for visit in shown],
            name="group",
            description=f"median patient: {_DRAWING}",
        )
        if shown and together_drawing is None
        else None,
        group_factors=circuit_rows.group_rows(circuit, shown) if len(circuit) > 1 else [],
        visit_titles=[names[visit] for visit in shown],
        patients=patients,
        axis=axis,
        accounts=accounts,
        nearly=not all(row["exact"] for row in patients),
        balance_when=names[shown[-1]].lower() if shown else "",
        preferred=f"{100 * words.PREFERRED:g}",
        narrowed=f"{100 * (1 - IDENTIFIED_BELOW):.0f}",
        left_open=circuit_words.left_open(
            [one for visit in shown for one in medians[visit].values()],
            shown,
            circuit_rows.measured_kinds(circuit),
        ),
        failures=[
            (one.participant_id, one.reason.removeprefix(f"{one.participant_id}: "))
            for one in explained.circuit_failures
        ],
        circuit_asked=explained.circuit_asked,
        links=links,
        flags=_flags(explained),
        refused=explained.refused,
    )


def _group_table(explained: StudyExplanation) -> MeasureTable:
    return tabulate_measures(StimulationTable(explained.measures, ()).used_for(GROUP))


def _flags(explained: StudyExplanation) -> tuple[Flag, ...]:
    """Return what was set aside or assumed anywhere, each once."""
    group = explained.group
    found = [*(group.changes.flags if group else ()), *explained.flags]
    if group is not None and group.associations is not None:
        found += group.associations.flags
    return tuple(dict.fromkeys(found))


def _scatter(explained: StudyExplanation, table: MeasureTable | None) -> Markup | None:
    associations = None if explained.group is None else explained.group.associations
    if associations is None or table is None or not associations.associations:
        return None
    found = associations.associations
    relief = {str(row["participant_id"]): float(row[OUTCOME]) for row in explained.factors.to_dict("records")}
    dots = rows.own_changes(table, found[0].baseline, found[0].visit, relief)
    return association_figure(found, dots, "relief")


def _facts(explained: StudyExplanation) -> list[tuple[str, str]]:
    facts = [("Patients with stimulation", str(len(explained.patients)))]
    facts += [(visit, str(explained.patients_at(visit))) for visit in explained.visits]
    if len(explained.visits) > 1:
        facts.append(("At every visit", str(explained.patients_at_all)))
    if explained.circuit_asked:
        facts.append(("Circuits", str(len(explained.circuit))))
    return facts


def _provenance(study: StudyFolder, explained: StudyExplanation) -> Provenance:
    files: list[Path] = [
        study.settings_file,
        study.derivatives / MEASURES_TABLE,
        study.derivatives / MECHANISM_FILE,
    ]
    sources = [
        SourceFile(path.name, sha256_of_file(path), path.stat().st_size) for path in files if path.is_file()
    ]
    wanted = ("end", "tms_sessions", "muscles", "pairs", "mechanism_covariates", "healthy", "level")
    settings: dict[str, Any] = explained.settings.to_dict()
    used = {name: settings[name] for name in wanted if name in settings}
    return Provenance(sources, used, created=_CREATED)
