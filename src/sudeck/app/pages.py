"""The pages themselves: the list of patients, and of each its scan, its trials and its own page."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sudeck.app.asked import bench_of, patient_of, session_of
from sudeck.app.calculator_card import calculator_fields
from sudeck.app.preparing import prepare_from
from sudeck.app.security import REPORT_POLICY
from sudeck.app.workbench import Patient, Workbench
from sudeck.app.worklist import STATES
from sudeck.core.errors import InputError
from sudeck.study.answers.reader_agreement import compare_readers
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import read_log, standing_decisions
from sudeck.study.measuring.inputs import recordings_among
from sudeck.study.measuring.neutral_names import neutral_names
from sudeck.study.measuring.records import SIX_RATIOS, stored_record

_TEMPLATES: Final = Path(__file__).with_name("templates")
_TYPES: Final = {".html": "text/html; charset=utf-8", ".png": "image/png", ".svg": "image/svg+xml"}


@functools.cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _page(name: str, request: Request, **content: Any) -> Response:
    bench = bench_of(request)
    template = _environment().get_template(name)
    study = bench.study.root.resolve().name
    reader = bench.study.reader
    # How what was saved comes to count.
    rerun = f"sudeck review {study} --compare" if reader else f"sudeck run {study}"
    alone = bench.saved is not None
    return HTMLResponse(template.render(study=study, reader=reader, rerun=rerun, alone=alone, **content))


def worklist_page(request: Request) -> Response:
    """Show every patient, those that wait for a person first."""
    rows = prepare_from(request)
    counts = {state: sum(row.state == state for row in rows) for state in STATES}
    study = bench_of(request).study
    return _page(
        "worklist.html.j2",
        request,
        rows=rows,
        counts=counts,
        stale=sum(row.stale for row in rows),
        readers=() if study.reader else study.readers(),
    )


def readers_page(request: Request) -> Response:
    """Show how far persons who read the study blinded agree; those who do are not shown it."""
    study = bench_of(request).study
    if study.reader:
        raise HTTPException(404, "The study has no such page.")
    found, problem = None, ""
    try:
        found = compare_readers(study)
    except InputError as error:
        problem = str(error)
    readings = _readings(bench_of(request))
    return _page(
        "readers.html.j2",
        request,
        found=found,
        problem=problem,
        ratios=SIX_RATIOS,
        readers=study.readers(),
        readings=readings,
    )


def _readings(bench: Workbench) -> list[dict[str, Any]]:
    """Return who reviewed each patient blinded and when, and whether it stands so."""
    found = []
    for name in bench.names():
        cells = []
        for reader in bench.study.readers():
            own = standing_decisions(replace(bench.study, reader=reader), name)
            when = [one.when for one in own if one.kind in ("accepted", "signed-off")]
            cells.append((reader, max(when)[:10] if when else ""))
        if any(when for _, when in cells):
            hashes = read_log(bench.study, name).hashes
            found.append({"patient": name, "cells": cells, "head": hashes[-1] if hashes else ""})
    return found


def scan_page(request: Request) -> Response:
    """Show the scan of a session; the page asks for its images itself."""
    patient = patient_of(request)
    session = session_of(request, patient.inputs.scans)
    paths = patient.inputs.scans[session]
    renamed = neutral_names(paths, patient.inputs.participant_id)
    # A file whose name may name a person is not decided on by that name.
    files = [path.name for path in paths if path.name not in renamed]
    return _page("scan.html.j2", request, **_place(request, patient, session), files=files)


def trials_page(request: Request) -> Response:
    """Show the trials of a session; the page asks for its sweeps itself."""
    patient = patient_of(request)
    session = session_of(request, patient.inputs.recordings)
    return _page("trials.html.j2", request, **_place(request, patient, session))


def _place(request: Request, patient: Patient, session: str) -> dict[str, Any]:
    name = patient.inputs.participant_id
    rows = prepare_from(request, name)
    place = [row.patient for row in rows].index(name)
    after = rows[(place + 1) % len(rows)]
    return {
        "patient": name,
        "session": session,
        "parts": _parts(bench_of(request), patient),
        "after": after,
        "row": patient.row,
    }


def _in_order(bench: Workbench, sessions: Iterable[str]) -> list[str]:
    """Return sessions as the study takes them: the scan's, then those of stimulation, then others."""
    known = [bench.settings.scan_session, *bench.settings.tms_sessions]
    return sorted(dict.fromkeys(sessions), key=lambda one: (known.index(one) if one in known else 99, one))


def _parts(bench: Workbench, patient: Patient) -> list[tuple[str, bool, bool]]:
    inputs = patient.inputs
    sessions = _in_order(bench, (*inputs.scans, *inputs.recordings))
    return [
        (session, session in inputs.scans, bool(recordings_among(inputs.recordings.get(session, ()))))
        for session in sessions
    ]


def patient_page(request: Request) -> Response:
    """Show what was measured and decided of a patient, and let a person sign it off."""
    patient = patient_of(request)
    name, bench = patient.inputs.participant_id, bench_of(request)
    record = stored_record(bench.study, name) or {}
    holding = {decision.subject: decision for decision in patient.log.decisions}
    history = [
        {"decision": decision, "said": _said(decision), "holds": holding[decision.subject] is decision}
        for decision in reversed(patient.log.decisions)
    ]
    return _page(
        "patient.html.j2",
        request,
        patient=name,
        row=patient.row,
        parts=_parts(bench, patient),
        scans=[(one, record["scans"][one]) for one in _in_order(bench, record.get("scans", ()))],
        recordings=[
            (one, record["recordings"][one]) for one in _in_order(bench, record.get("recordings", ()))
        ],
        record=record,
        in_order=_in_steps,
        reports=[file for file in record.get("files", ()) if file.endswith(".html")],
        stale=list(patient.log.hashes) != list(record.get("decided", ())),
        history=history,
        problems=[str(problem) for problem in patient.log.problems],
        signed=patient.signed,
        head=patient.head,
        fields=calculator_fields(bench, patient, record),
    )


def _in_steps(estimates: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return measures as they come, those of one kind and muscle from low to high interval or strength."""
    kinds = [(one["measure"], one["hemisphere"], one["muscle"]) for one in estimates]
    first = {kind: place for place, kind in reversed(list(enumerate(kinds)))}
    order = sorted(range(len(estimates)), key=lambda place: (first[kinds[place]], _step(estimates[place])))
    return [estimates[place] for place in order]


def _step(estimate: Mapping[str, Any]) -> float:
    if estimate["isi_ms"] is not None:
        return float(estimate["isi_ms"])
    number = re.match(r"\d+(\.\d+)?", str(estimate["intensity"] or ""))
    return float(number[0]) if number else 0.0


def _said(decision: Decision) -> str:
    if decision.value is None:
        return "taken back"
    if isinstance(decision.value, bool):
        return "yes" if decision.value else "no"
    if decision.kind == "region":
        corners = decision.value.get("points")
        return f"drawn, {len(corners)} corners" if isinstance(corners, list) else "drawn"
    return "set by hand" if decision.kind == "mirror" else str(decision.value)


def report(request: Request) -> Response:
    """Give a page of the study's own, of those its record names."""
    patient = patient_of(request)
    study = bench_of(request).study
    record = stored_record(study, patient.inputs.participant_id)
    name = request.path_params["name"]
    folder = study.patient_derivatives(patient.inputs.participant_id).resolve()
    path = folder / name
    kind = _TYPES.get(path.suffix)
    if (
        record is None
        or name not in record.get("files", ())
        or kind is None
        or path.resolve().parent != folder
    ):
        raise HTTPException(404, "The study has no such page.")
    return Response(path.read_bytes(), media_type=kind, headers={"content-security-policy": REPORT_POLICY})
