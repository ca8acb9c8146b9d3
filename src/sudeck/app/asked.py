"""What a request is about: a patient and a session that the study has, or the answer 404."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sudeck.app.workbench import Patient, Workbench, drafts_of, with_drafts
from sudeck.core.storage import to_json
from sudeck.study.measuring.inputs import PatientInputs
from sudeck.study.measuring.neutral_names import neutral_names
from sudeck.tms.signals.neutral_labels import neutralise

_NOT_THERE = "The study has no such page."


@dataclass(frozen=True)
class Asked:
    """What a page asks about the scan or the recordings of a session.

    Attributes
    ----------
    bench : Workbench
    patient : Patient
        As it stands on disk.
    session : str
    inputs : PatientInputs
        With the drafts the page sent.
    content : mapping
        What else the page sent.
    instead : mapping of str to str
        What stands for the names of files that may name a person.
    """

    bench: Workbench
    patient: Patient
    session: str
    inputs: PatientInputs
    content: Mapping[str, Any]
    instead: dict[str, str]

    def standing(self) -> dict[str, Any]:
        """Return what every answer begins with: the last line of decisions, what stands, who signed."""
        signed = self.patient.signed
        return {
            "head": self.patient.head,
            "signed": {"who": signed.who, "when": signed.when, "why": signed.why} if signed else None,
            "decisions": [
                one.to_dict() for one in self.patient.inputs.decisions if one.session in ("", self.session)
            ],
        }


def answers(
    part: Literal["scans", "recordings"], answer: Callable[[Asked], Mapping[str, Any] | Response]
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a page's calls: the head that all share, then an answer of its own.

    Parameters
    ----------
    part : {"scans", "recordings"}
        What of the session it is about.
    answer : callable
        Called in a thread; a mapping is sent as JSON, names of files that may name a person replaced.
    """

    async def endpoint(request: Request) -> Response:
        content = await content_of(request) if request.method == "POST" else dict(request.query_params)
        return await run_in_threadpool(found_of, request, content)

    def found_of(request: Request, content: dict[str, Any]) -> Response:
        bench, patient = bench_of(request), patient_of(request)
        files = getattr(patient.inputs, part)
        session = session_of(request, files)
        drafts = drafts_of(patient.inputs.participant_id, session, content.get("drafts", []))
        inputs = with_drafts(patient.inputs, drafts)
        instead = dict(neutral_names(files[session], patient.inputs.participant_id))
        asked = Asked(bench, patient, session, inputs, content, instead)
        with bench.at_work():
            found = answer(asked)
        return found if isinstance(found, Response) else answered(neutralise(found, asked.instead))

    return endpoint


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


def session_of(request: Request, sessions: Collection[str]) -> str:
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
