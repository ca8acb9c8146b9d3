"""`sudeck import --redcap-api`: records and data dictionary of a REDCap project, asked for over its API."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sudeck.core.errors import InputError

TOKEN_VARIABLE: Final = "REDCAP_TOKEN"
_TOKEN: Final = re.compile(r"[0-9A-Fa-f]{32}")
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_SUBJECT: Final = "the REDCap API"
_TIMEOUT_S: Final = 120.0


def pull_project(url: str, token: str, folder: Path) -> tuple[Path, Path]:
    """Fetch the records, flat with raw values, and the data dictionary of a project.

    Only these two are asked for; nothing is changed on the server. Both files hold what the token may see,
    names perhaps: the caller keeps the folder no longer than the import takes.

    Parameters
    ----------
    url : str
        Of the API, as REDCap's API page shows it; it ends in ``/api/``.
    token : str
        Of one person for one project.
    folder : Path
        Where to put the two files.

    Returns
    -------
    export, dictionary : Path

    Raises
    ------
    InputError
        If address or token are malformed, the library is missing, or the server does not answer with data.
        The token is in no message.
    """
    address = _checked_address(url)
    if not _TOKEN.fullmatch(token):
        problem = f"{TOKEN_VARIABLE} holds no token" if token else f"{TOKEN_VARIABLE} is not set"
        raise InputError(
            _SUBJECT, problem, "a token has 32 hexadecimal digits; REDCap's API page shows yours"
        )
    try:
        library: Any = import_module("redcap")
    except ImportError:
        raise InputError(
            _SUBJECT, "PyCap is not installed", "pip install 'sudeck[redcap]', or export to CSV"
        ) from None
    project = library.Project(address, token, timeout=_TIMEOUT_S)
    parts: dict[str, Callable[[], object]] = {
        "export.csv": lambda: project.export_records(format_type="csv", event_name="unique"),
        "dictionary.csv": lambda: project.export_metadata(format_type="csv"),
    }
    for name, ask in parts.items():
        try:
            text = ask()
        except Exception as error:  # whatever the library or the network throws may hold the token
            kind = type(error).__name__
            remedy = "check the address and the rights of the token, or export to CSV"
            raise InputError(_SUBJECT, f"it gives no {name} ({kind})", remedy) from None
        (folder / name).write_text(str(text), encoding="utf-8")
    return folder / "export.csv", folder / "dictionary.csv"


def _checked_address(url: str) -> str:
    """Return an address with its ending; a token is sent over an encrypted line only."""
    address = url.rstrip("/") + "/"
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
        raise InputError("--redcap-api", "it does not begin with https://", "use the encrypted address")
    if not parts.hostname or not parts.path.endswith("/api/") or parts.query or parts.username:
        raise InputError("--redcap-api", "it does not end in /api/", "copy it from REDCap's API page")
    return address
