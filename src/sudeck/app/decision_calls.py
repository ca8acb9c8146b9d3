"""Saving: drafts become lines of decisions, if nothing else was decided since the page was loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sudeck.app.asked import bench_of, content_of, patient_of
from sudeck.app.scan_calls import scan_at_work
from sudeck.app.trial_calls import measured_trials
from sudeck.app.workbench import Patient, Workbench, drafts_of, with_drafts
from sudeck.core.errors import InputError
from sudeck.study.folder.decision_kinds import OF_TRIALS, Decision
from sudeck.study.folder.decisions import StaleError, record_decisions, take_over

# A decision of these kinds must leave something to measure.
_DRAWN = frozenset({"region", "mirror"})
_WHEN_SIGNED = frozenset({"signed-off", "note"})


async def save(request: Request) -> Response:
    """Keep the decisions a page sends, all or none."""
    content = await content_of(request)
    return await run_in_threadpool(_save, request, content)


def _save(request: Request, content: dict[str, object]) -> Response:
    bench, patient = bench_of(request), patient_of(request)
    session, who, why, seen = (str(content.get(name, "")) for name in ("session", "who", "why", "seen"))
    if session and session not in {*patient.inputs.scans, *patient.inputs.recordings}:
        raise HTTPException(404, "The study has no such session.")
    who = bench.study.reader or who
    if not who.strip() or not why.strip():
        raise InputError("the decision", "it does not say who decides, and why", "fill in both")
    drafts = drafts_of(patient.inputs.participant_id, session, content.get("drafts", []))
    if not drafts:
        raise InputError("the decision", "there is nothing to save", "change something first")
    if seen != patient.head:
        return _stale(patient)
    if patient.signed and not {draft.kind for draft in drafts} <= _WHEN_SIGNED:
        raise InputError(
            patient.inputs.participant_id,
            f"{patient.signed.who} signed the patient off",
            "reopen the patient on its page first",
        )
    _refuse_unmeasurable(bench, patient, session, drafts)
    named = [replace(draft, who=who.strip(), why=why.strip(), when="") for draft in drafts]
    try:
        hashes = record_decisions(bench.study, named, after=seen)
    except StaleError:
        found = bench.patient(patient.inputs.participant_id)
        return _stale(found or patient)
    if bench.saved:
        bench.saved()
    return JSONResponse({"head": hashes[-1], "saved": len(hashes)})


async def take_over_reading(request: Request) -> Response:
    """Let a blinded reading of a patient count."""
    content = await content_of(request)
    return await run_in_threadpool(_take_over, request, content)


def _take_over(request: Request, content: dict[str, object]) -> Response:
    bench, patient = bench_of(request), patient_of(request)
    if bench.study.reader:
        raise HTTPException(404, "The study has no such page.")
    reader, who, why, seen = (str(content.get(name, "")) for name in ("reader", "who", "why", "seen"))
    if not who.strip() or not why.strip():
        raise InputError("the decision", "it does not say who decides, and why", "fill in both")
    name = patient.inputs.participant_id
    try:
        hashes = take_over(bench.study, reader, name, who=who.strip(), why=why.strip(), after=seen)
    except StaleError:
        return _stale(bench.patient(name) or patient)
    return JSONResponse({"head": hashes[-1] if hashes else patient.head, "saved": len(hashes)})


def _stale(patient: Patient) -> Response:
    """Show what came in between beside what the page wanted to save."""
    lines = [str(decision) for decision in patient.log.decisions[-5:]]
    error = f"{patient.inputs.participant_id}: something else was decided since this page was loaded."
    return JSONResponse({"error": error, "head": patient.head, "decided": lines}, status_code=409)


def _refuse_unmeasurable(
    bench: Workbench, patient: Patient, session: str, drafts: Sequence[Decision]
) -> None:
    """Raise the refusal of a measurement that drafts would bring about: a region on air is not kept."""
    inputs = with_drafts(patient.inputs, drafts)
    kinds = {draft.kind for draft in drafts if draft.value is not None}
    if kinds & _DRAWN:
        scan_at_work(bench, inputs, session).measured()
    if kinds & OF_TRIALS:
        measured_trials(bench, inputs, session)
