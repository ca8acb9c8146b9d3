"""What every reader shares: the `Reader` protocol, hints for files that say too little, and safe parsing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sudeck.core.errors import InputError
from sudeck.core.privacy import Redactor
from sudeck.core.provenance import SourceFile
from sudeck.tms.signals.neutral_labels import reduced

if TYPE_CHECKING:
    from sudeck.tms.signals.recording import Recording
    from sudeck.tms.signals.trials import AmplitudeTable, TrialSet

    Contents = Recording | tuple[TrialSet | AmplitudeTable, ...]

HEAD_BYTES = 4096
# A text at this many moments is a label; see `stimulus_labels`.
REPEATED = 3
_CODE = re.compile(r"[A-Za-z]{0,3}[\s_-]*\d+")
_WORDS = re.compile(
    r"(tms|stim(ulus)?|puls[es]*|trig(ger)?|single|paired|test|sici|icf|lici|sicf|ihi|mep|csp|rmt|amt)[\s_-]*\d*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Hints:
    """What a person says about a file, because the file does not, or says it wrongly.

    Attributes
    ----------
    rate_hz : float or None
        Sampling rate of epoched arrays.
    unit : str or None
        Unit of every voltage channel.
    units : Mapping of str to str
        Unit by channel name; goes before `unit`.
    pulse_ms : float or None
        Time of the test pulse after the start of each epoch.
    variable : str or None
        Name of the array to read, in files that hold several.
    """

    rate_hz: float | None = None
    unit: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    pulse_ms: float | None = None
    variable: str | None = None

    def unit_of(self, channel: str) -> str | None:
        """Return the unit a person stated for a channel, or ``None``."""
        return self.units.get(channel, self.unit)


class Reader(Protocol):
    """One format. Each module of this package is one: it has these three names at its top level."""

    @property
    def FORMAT(self) -> str:
        """Name of the format, as its users call it."""

    def sniff(self, head: bytes, path: Path) -> bool:
        """Tell from the first bytes (and the name, where bytes do not settle it) whether to read a file."""

    def read(self, path: Path, hints: Hints) -> Contents:
        """Read a file whole.

        Raises
        ------
        InputError
            If the file is truncated, corrupt or says too little.
        """


def is_there(path: Path) -> bool:
    """Tell whether there is something at a path; a name that no file can have names none."""
    try:
        return path.exists()
    except (OSError, ValueError):  # longer than 255 bytes, or with a NUL in it
        return False


def source_of(*paths: Path, redactor: Redactor | None = None) -> SourceFile:
    """Describe one recording, whose parts may lie in several files; the first one gives the name."""
    digest, size = hashlib.sha256(), 0
    for path in paths:
        data = path.read_bytes()
        digest.update(data)
        size += len(data)
    return SourceFile((redactor or Redactor()).label(paths[0]), digest.hexdigest(), size)


def truncated(path: Path, what: str = "the file ends before its header says it should") -> InputError:
    """Build the error for a file that was cut off."""
    return InputError(path.name, what, "copy or export it again")


def corrupt(path: Path, what: str) -> InputError:
    """Build the error for a file whose header contradicts itself."""
    return InputError(path.name, what, "the file looks damaged; copy or export it again")


def stimulus_labels(texts: Iterable[str]) -> frozenset[str]:
    """Return the texts that label stimuli or conditions, and not a person.

    What is written at three moments is a label; so are codes (up to three letters and digits), the words of
    stimulation, and these among other words of the field and numbers, however often: a search for a threshold
    gives some intensities once. What else is written once may be a remark about a person, and is not kept.

    Examples
    --------
    >>> sorted(stimulus_labels(["S 255", "moved, Mrs Smith", *3 * ["go"], "R RMT 46", "TMS Smith"]))
    ['R RMT 46', 'S 255', 'go']
    """
    counts = Counter(texts)
    return frozenset(
        text
        for text, count in counts.items()
        if count >= REPEATED or _CODE.fullmatch(text) or _WORDS.fullmatch(text) or _names_a_pulse(text)
    )


def _names_a_pulse(text: str) -> bool:
    return any(_WORDS.fullmatch(word) for word in text.split()) and reduced(text) == text
