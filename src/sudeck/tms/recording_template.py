"""An events table and a protocol for a recording, filled with what was found, to be completed by a person."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sudeck.core.storage import write_text
from sudeck.tms.recordings.labelled_trials import (
    events_for,
    find_or_take_pulses,
    protocol_for,
    read_recording,
)
from sudeck.tms.recordings.labelling import tell_pulses
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.recording import Recording
from sudeck.tms.signals.trials import Pulse, TrialSet

if TYPE_CHECKING:
    from sudeck.tms.recordings.protocol import StimulationProtocol

# Columns of the events table, by field of `Pulse`.
_COLUMNS: Final = {
    "onset": "time_s",
    "trial_type": "condition",
    "kind": "kind",
    "isi_ms": "isi_ms",
    "test_mso": "test_mso",
    "conditioning_mso": "conditioning_mso",
    "test_rmt": "test_rmt",
    "conditioning_rmt": "conditioning_rmt",
    "hemisphere": "hemisphere",
    "state": "state",
}
# What holds for a whole recording, with what to write.
_WHOLE: Final = {
    "hemisphere": '"left"             # hemisphere under the coil: "left" or "right"',
    "state": '"rest"                  # "rest" or "active"',
    "participant": '"sub-01"            # pseudonym',
    "visit": '"pre"',
}
_INTENSITIES: Final = (
    "test_rmt = 120                  # in percent of the resting threshold; or test_mso, of the stimulator",
    "conditioning_rmt = 80",
)


@dataclass(frozen=True, slots=True)
class RecordingTemplate:
    """What to complete.

    Attributes
    ----------
    events, protocol : str
        An events table as TSV, and a protocol as TOML. What nothing says is ``n/a`` in the table and behind a
        ``#`` in the protocol.
    """

    events: str
    protocol: str

    def write(self, folder: str | Path, stem: str) -> tuple[Path, Path]:
        """Write both into a folder, each atomically, and return their paths."""
        table, stated = Path(folder) / f"{stem}_events.tsv", Path(folder) / f"{stem}_protocol.toml"
        write_text(table, self.events)
        write_text(stated, self.protocol)
        return table, stated


def recording_template(
    path: str | Path,
    *,
    events: str | Path | None = None,
    protocol: StimulationProtocol | str | Path | None = None,
) -> RecordingTemplate:
    """Fill an events table and a protocol with what a recording shows.

    Fed back together they give the same stimuli.

    Parameters
    ----------
    path : path
        Any format that `read_recording` knows.
    events, protocol : path, optional
        As for `sudeck.tms.read_trials`.

    Raises
    ------
    InputError
        If the file can not be read, or no stimulus is found in it.
    """
    path = Path(path)
    stated = protocol_for(protocol, path)
    contents = read_recording(path, protocol=stated)
    if isinstance(contents, Recording):
        table = events_for(events, path)
        train = find_or_take_pulses(contents, table, stated)
        pulses, _ = tell_pulses(
            train.pulses,
            label=contents.source.label,
            events=table,
            protocol=stated,
            sections=[contents.section_of(pulse.time_s) for pulse in train.pulses],
        )
        start_s = contents.sections[0].start_s
        channels = [signal.name for signal in contents.signals]
    else:
        pulses, start_s = contents[0].pulses, 0.0
        channels = [item.channel for item in contents if isinstance(item, TrialSet)]
    return RecordingTemplate(_events(pulses, start_s), _protocol(pulses, channels))


def _events(pulses: Sequence[Pulse], start_s: float) -> str:
    timed = all(math.isfinite(pulse.time_s) for pulse in pulses)
    columns = [name for name in _COLUMNS if timed or name != "onset"]
    lines = ["\t".join(columns)]
    for pulse in pulses:
        cells = [getattr(pulse, _COLUMNS[name]) for name in columns]
        cells = [
            cell - start_s if name == "onset" else cell for name, cell in zip(columns, cells, strict=True)
        ]
        lines.append("\t".join(_cell(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value in {None, "", "unknown"}:
        return "n/a"
    return f"{value:.9g}" if isinstance(value, float) else str(value).replace("\t", " ")


def _protocol(pulses: Sequence[Pulse], channels: Sequence[str]) -> str:
    lines = ["# What nothing says stands behind a #: correct it and take the # away."]
    for name, example in _WHOLE.items():
        said = {getattr(pulse, name) for pulse in pulses}
        if said & {None, ""}:
            lines.append(f"# {name} = {example}")
    lines += [
        "",
        "[pulses]",
        'onset = "test"                  # the onsets of the table are those of test pulses',
    ]
    for channel in dict.fromkeys(channels):
        muscle, side = muscle_and_side(channel)
        lines += ["", f"[channels.{json.dumps(channel, ensure_ascii=False)}]"]
        lines.append(f'muscle = "{muscle}"' if muscle else '# muscle = "FDI"')
        lines.append(f'side = "{side}"' if side else '# side = "right"')
        if not muscle:
            lines.append("# ignore = true                  # it is no EMG")
    for condition in dict.fromkeys(pulse.condition for pulse in pulses if pulse.condition):
        own = [pulse for pulse in pulses if pulse.condition == condition]
        lines += [
            "",
            f"[conditions.{json.dumps(condition, ensure_ascii=False)}]          # {len(own)} stimuli",
        ]
        isis = {pulse.isi_ms for pulse in own}
        isi_ms = isis.pop() if len(isis) == 1 else None
        if isi_ms is not None:
            lines.append(f"isi_ms = {isi_ms:g}")
        elif all(pulse.kind == "single" for pulse in own):
            lines.append('kind = "single"')
        else:
            lines.append('# kind = "single"               # or isi_ms = 2.5')
        untold = all(p.test_mso is None and p.test_rmt is None for p in own)
        wanted = _INTENSITIES if isi_ms is not None else _INTENSITIES[:1]
        lines += [f"# {text}" for text in wanted] if untold else []
    return "\n".join(lines) + "\n"
