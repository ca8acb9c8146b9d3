"""The command line: parse, call, print. One file a family of commands, nothing heavy before it is needed."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
import unicodedata
from typing import Any, Final

from sudeck.core.errors import SudeckError

EXIT_REFUSED = 2
EXIT_STOPPED = 130
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_NEAREST: Final = {
    **{"−": "-", "–": "-", "—": "-", "×": "x", "±": "+/-", "µ": "u", "μ": "u", "·": "-", "•": "-", "→": "->"},
    **{"≥": ">=", "≤": "<=", "≈": "~", "…": "...", "’": "'", "‘": "'", "“": '"', "”": '"', "√": "sqrt"},
    **{"─": "-", "━": "-", "│": "|", "█": "#", "▏": "|", "◆": "*", "●": "*", "○": "o", "Δ": "d", "σ": "s"},
}


def main() -> None:
    """Run the command line; a refusal is one sentence on standard error and exit status 2."""
    _prepare_streams()
    try:
        status = _run()
    except KeyboardInterrupt:  # also while libraries are still loading
        status = EXIT_STOPPED
    if status == EXIT_STOPPED:  # which is all that newer versions of Typer tell of a Ctrl-C
        print("sudeck: stopped; what was finished is kept.", file=sys.stderr)
    raise SystemExit(status)


def _run() -> int:
    """Run the command that was typed and return its exit status, whatever it ends in."""
    import typer

    from sudeck.cli.app import app, with_decimal_points

    # Some versions of Typer bring their own click: the classes are asked of it.
    wrong_words: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
    try:
        # Not standalone: click would end a stopped command without a word.
        status = app(with_decimal_points(sys.argv[1:]), standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except SudeckError as error:
        # A batch of which nothing is left gives the reason for each in notes.
        for sentence in (error, *getattr(error, "__notes__", ())):
            print(f"sudeck: {sentence}", file=sys.stderr)
        if paste := getattr(error, "paste", ""):
            print(f"\n{paste}", file=sys.stderr)
        return EXIT_REFUSED
    except wrong_words as error:
        error.show()
        return int(error.exit_code)
    except typer.Abort:
        return EXIT_STOPPED
    except BrokenPipeError:
        # The reader of our output (head, less) went away; nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # The last part only: the folders above may be named after a patient.
        name = f"{os.path.basename(os.fsdecode(error.filename))}: " if error.filename else ""  # noqa: PTH119
        full = error.errno in _FULL
        if full and not name:  # files that are written say which they are
            name = "what is printed, or a temporary file: "
        remedy = "make room on the disk" if full else "check the path and its permissions"
        print(f"sudeck: {name}{error.strerror or error}; {remedy}.", file=sys.stderr)
        return EXIT_REFUSED


def _prepare_streams() -> None:
    """Let any terminal show what we print, and leave out all emphasis where NO_COLOR asks for that."""
    codecs.register_error("sudeck", _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="sudeck")
    if os.environ.get("NO_COLOR"):
        os.environ["TERM"] = "dumb"  # the one thing that turns bold and dim off, too


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Return the nearest that an old terminal can show of letters and signs it does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    written = []
    for letter in error.object[error.start : error.end]:
        apart = unicodedata.normalize("NFKD", _NEAREST.get(letter, letter))
        written.append(apart.encode("ascii", "ignore").decode() or "?")
    return "".join(written), error.end
