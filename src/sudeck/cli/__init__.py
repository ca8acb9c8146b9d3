"""The command line: parse, call, print. One file a family of commands, nothing heavy before it is needed."""

from __future__ import annotations

import os
import sys

from sudeck.core.errors import SudeckError

EXIT_REFUSED = 2


def main() -> None:
    """Run the command line; a refusal is one sentence on standard error and exit status 2."""
    from sudeck.cli.app import app

    try:
        app()
    except SudeckError as error:
        # A batch of which nothing is left gives the reason for each in notes.
        for sentence in (error, *getattr(error, "__notes__", ())):
            print(f"sudeck: {sentence}", file=sys.stderr)
        raise SystemExit(EXIT_REFUSED) from None
    except KeyboardInterrupt:
        print("sudeck: stopped; what was finished is kept.", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        # The reader of our output (head, less) went away; nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        # The last part only: the folders above may be named after a patient.
        name = f"{os.path.basename(os.fsdecode(error.filename))}: " if error.filename else ""  # noqa: PTH119
        print(
            f"sudeck: {name}{error.strerror or error}; check the path and its permissions.", file=sys.stderr
        )
        raise SystemExit(EXIT_REFUSED) from None
