"""The server of the review pages: one a study or scan, on this machine alone, until it is stopped."""

from __future__ import annotations

import importlib
import json
import socket
import threading
import webbrowser
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sudeck.app import calculator_card, decision_calls, pages, scan_calls, trial_calls
from sudeck.app.one_scan import PATIENT, keeper, study_of_scan
from sudeck.app.preparing import preparing_of
from sudeck.app.security import LOOPBACK, Guard, new_token
from sudeck.app.workbench import Workbench
from sudeck.core.errors import InputError, SudeckError
from sudeck.core.vocabulary import Limb, Side
from sudeck.study.folder.decisions import StaleError
from sudeck.study.folder.layout import StudyFolder, open_study
from sudeck.study.folder.settings import read_settings
from sudeck.study.measuring.holding import held_alone

_LOCK: Final = ".review.lock"
_PORTS: Final = (8700, 300)  # first, how many
_STATIC: Final = Path(__file__).with_name("static")


def review_app(
    study: StudyFolder,
    *,
    token: str,
    port: int,
    saved: Callable[[], None] | None = None,
    prepare: bool = False,
) -> ASGIApp:
    """Return the review pages of a study as an ASGI application.

    Parameters
    ----------
    study : StudyFolder
    token : str
        That the browser must bring.
    port : int
        That the server will listen on; pages at another address are refused.
    saved : callable, optional
        Called after something was saved.
    prepare : bool
        Whether to read ahead what a person is likely to open next, in a thread.
    """
    patient = "/{patient}"
    part = "/{patient}/{session}"
    app = Starlette(
        routes=[
            Route("/", pages.worklist_page),
            Route("/readers", pages.readers_page),
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
                    Route(f"{patient}/take-over", decision_calls.take_over_reading, methods=["POST"]),
                    Route(f"{patient}/calculate", calculator_card.work_out, methods=["POST"]),
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
    app.state.bench = bench = Workbench(study, saved=saved)
    app.state.preparing = preparing_of(bench) if prepare else None
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
    root: Path,
    *,
    reader: str = "",
    port: int | None = None,
    open_browser: bool = True,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve the review pages of a study until stopped.

    Parameters
    ----------
    root : Path
        The study folder.
    reader : str
        Who reads it blinded to what others decided; what is saved is then kept apart and compared.
    port : int, optional
        One that belongs to the study unless given, so that edits kept in the browser are found again.
    open_browser : bool
        Whether to open the pages.
    announce : callable
        Is given the address, in a sentence.

    Raises
    ------
    InputError
        If there is no study, or another review of it is open.
    """
    study = open_study(root, reader=reader)
    with held_alone(
        study, _LOCK, taken="another review of it is open", remedy="use that one, or stop it with Ctrl-C"
    ):
        _serve(study, "/", port=port, open_browser=open_browser, announce=announce)


def serve_scan(
    paths: Sequence[Path],
    *,
    affected: Side,
    limb: Limb | None = None,
    port: int | None = None,
    open_browser: bool = True,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve the page of one scan until stopped, and tell after every save how to measure the same.

    Parameters
    ----------
    paths : sequence of Path
        Files and folders.
    affected : {"left", "right"}
    limb : {"hand", "foot"}, optional
        Where the files do not say.
    port, open_browser, announce
        As in `serve_review`.

    Raises
    ------
    InputError
        If a path is not there.
    """
    with study_of_scan(paths, affected=affected, limb=limb) as study:
        session = read_settings(study).scan_session
        keep = keeper(study, paths, announce, affected=affected, limb=limb)
        place = f"/patients/{PATIENT}/{session}/scan"
        _serve(study, place, port=port, open_browser=open_browser, announce=announce, saved=keep)


def _serve(
    study: StudyFolder,
    place: str,
    *,
    port: int | None,
    open_browser: bool,
    announce: Callable[[str], None],
    saved: Callable[[], None] | None = None,
) -> None:
    import uvicorn

    with _listening(study, port) as listener:
        number = listener.getsockname()[1]
        token = new_token()
        address = f"http://{LOOPBACK}:{number}{place}?token={token}"
        announce(f"Review of {study.root.resolve().name}: {address}")
        announce("Stop with Ctrl-C; what was saved is kept.")
        threading.Thread(target=_load, daemon=True).start()
        if open_browser:
            webbrowser.open(address)
        config = uvicorn.Config(
            review_app(study, token=token, port=number, saved=saved, prepare=True),
            log_level="error",
            access_log=False,  # addresses name patients
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _load() -> None:
    """Load the libraries of a measurement while the browser opens, so that its first page need not wait."""
    for name in ("pydicom", "skimage.measure", "sudeck.scan.measurement", "sudeck.tms.measurement"):
        importlib.import_module(name)


@contextmanager
def _listening(study: StudyFolder, port: int | None) -> Iterator[socket.socket]:
    first, count = _PORTS
    own = first + zlib.crc32(f"{study.root.resolve()} {study.reader}".encode()) % count
    wanted = [port] if port is not None else [own, 0]
    for number in wanted:
        # With the protocol named the event loop sends at once; without, an answer in two pieces waits 40 ms
        # for the browser to acknowledge the first.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, number))
        except OSError:
            listener.close()
            continue
        with listener:
            listener.listen(128)  # a browser that is faster than the server waits instead of failing
            yield listener
        return
    raise InputError(f"port {port}", "another program listens there", "choose another with --port")
