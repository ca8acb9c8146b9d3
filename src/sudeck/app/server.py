"""The server of the review pages: one a study, on this machine alone, until it is stopped."""

from __future__ import annotations

import json
import socket
import webbrowser
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sudeck.app import decision_calls, pages, scan_calls, trial_calls
from sudeck.app.security import LOOPBACK, Guard, new_token
from sudeck.app.workbench import Workbench
from sudeck.core.errors import InputError, SudeckError
from sudeck.study.folder.decisions import StaleError
from sudeck.study.folder.layout import StudyFolder, open_study

_LOCK: Final = ".review.lock"
_PORTS: Final = (8700, 300)  # first, how many
_STATIC: Final = Path(__file__).with_name("static")


def review_app(study: StudyFolder, *, token: str, port: int) -> ASGIApp:
    """Return the review pages of a study as an ASGI application.

    Parameters
    ----------
    study : StudyFolder
    token : str
        That the browser must bring.
    port : int
        That the server will listen on; pages at another address are refused.
    """
    patient = "/{patient}"
    part = "/{patient}/{session}"
    app = Starlette(
        routes=[
            Route("/", pages.worklist_page),
            Mount(
                "/patients",
                routes=[
                    Route(patient, pages.patient_page),
                    Route(f"{part}/scan", pages.scan_page),
                    Route(f"{part}/trials", pages.trials_page),
                ],
            ),
            Mount(
                "/api",
                routes=[
                    Route(f"{patient}/decisions", decision_calls.save, methods=["POST"]),
                    Route(f"{part}/scan", scan_calls.show, methods=["POST"]),
                    Route(f"{part}/scan/measure", scan_calls.measure, methods=["POST"]),
                    Route(f"{part}/scan/outline", scan_calls.outline, methods=["POST"]),
                    Route(f"{part}/scan/frames", scan_calls.frames),
                    Route(f"{part}/trials", trial_calls.show, methods=["POST"]),
                    Route(f"{part}/trials/measure", trial_calls.measure, methods=["POST"]),
                    Route(f"{part}/trials/sweeps", trial_calls.sweeps),
                ],
            ),
            Route("/reports/{patient}/{name}", pages.report),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        exception_handlers={SudeckError: _refusal, json.JSONDecodeError: _not_json, OSError: _unreadable},
    )
    app.state.bench = Workbench(study)
    return Guard(app, token=token, port=port)


def _refusal(request: Request, error: Exception) -> Response:
    status = 409 if isinstance(error, StaleError) else 422
    return JSONResponse({"error": str(error)}, status_code=status)


def _not_json(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "What the page sent is no JSON; load it again."}, status_code=400)


def _unreadable(request: Request, problem: Exception) -> Response:
    # The text of the error may hold a path; its kind does not.
    said = getattr(problem, "strerror", None) or type(problem).__name__
    return JSONResponse(
        {"error": f"A file of the study can not be read or written ({said})."}, status_code=500
    )


def serve_review(
    root: Path, *, port: int | None = None, open_browser: bool = True, told: Callable[[str], None] = print
) -> None:
    """Serve the review pages of a study until stopped.

    Parameters
    ----------
    root : Path
        The study folder.
    port : int, optional
        One that belongs to the study unless given, so that edits kept in the browser are found again.
    open_browser : bool
        Whether to open the pages.
    told : callable
        Is given the address, in a sentence.

    Raises
    ------
    InputError
        If there is no study, or another review of it is open.
    """
    import uvicorn

    study = open_study(root)
    with _alone(study), _listening(study, port) as listener:
        number = listener.getsockname()[1]
        token = new_token()
        address = f"http://{LOOPBACK}:{number}/?token={token}"
        told(f"Review of {study.root.resolve().name}: {address}")
        told("Stop with Ctrl-C; what was saved is kept.")
        if open_browser:
            webbrowser.open(address)
        config = uvicorn.Config(
            review_app(study, token=token, port=number),
            log_level="error",
            access_log=False,  # addresses name patients
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _alone(study: StudyFolder) -> Iterator[None]:
    from filelock import FileLock, Timeout

    study.derivatives.mkdir(parents=True, exist_ok=True)
    path = study.derivatives / _LOCK
    if path.is_symlink():
        raise InputError(f"{study.root.name} {_LOCK}", "the lock is a link to elsewhere", "remove the link")
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise InputError(
            study.root.name, "another review of it is open", "use that one, or stop it with Ctrl-C"
        ) from None


@contextmanager
def _listening(study: StudyFolder, port: int | None) -> Iterator[socket.socket]:
    first, count = _PORTS
    own = first + zlib.crc32(str(study.root.resolve()).encode()) % count
    wanted = [port] if port is not None else [own, 0]
    for number in wanted:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, number))
        except OSError:
            listener.close()
            continue
        with listener:
            yield listener
        return
    raise InputError(f"port {port}", "another program listens there", "choose another with --port")
