"""What a request is about: a patient and a session that the study has, or the answer 404."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sudeck.app.workbench import Patient, Workbench, drafts_of, with_drafts
from sudeck.core.storage import to_json
from sudeck.study.measuring.inputs import PatientInputs

_NOT_THERE = "The study has no such page."


def bench_of(request: Request) -> Workbench:
    """Return the study the server shows."""
    bench: Workbench = request.app.state.bench
    return bench


def patient_of(request: Request) -> Patient:
    """Return the patient an address names; only names of the study are looked up."""
    found = bench_of(request).patient(request.path_params["patient"])
    if found is None:
        raise HTTPException(404, _NOT_THERE)
    return found


def session_of(request: Request, sessions: Sequence[str]) -> str:
    """Return the session an address names, of those there are."""
    session = str(request.path_params["session"])
    if session not in sessions:
        raise HTTPException(404, _NOT_THERE)
    return session


async def content_of(request: Request) -> dict[str, Any]:
    """Return the JSON object a page sent."""
    content = await request.json()
    if not isinstance(content, dict):
        raise HTTPException(400, "What the page sent is no object.")
    return content


def answered(content: Any) -> Response:
    """Return JSON-ready content as the answer of the server; what is no number is null."""
    return Response(to_json(content, indent=None), media_type="application/json")


def tried(patient: Patient, session: str, content: dict[str, Any]) -> PatientInputs:
    """Return a patient with the drafts a page sent."""
    return with_drafts(
        patient.inputs, drafts_of(patient.inputs.participant_id, session, content.get("drafts", []))
    )
