"""Forms for what a recording does not say: an events table as TSV and a protocol as TOML, to be completed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sudeck.tms.signals.muscles import muscle_and_side

if TYPE_CHECKING:
    from sudeck.tms.signals.trials import Pulse

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


def events_form(pulses: Sequence[Pulse], start_s: float = 0.0, *, most: int | None = None) -> str:
    """Return an events table of stimuli; what nothing says is ``n/a``.

    Parameters
    ----------
    pulses : sequence of Pulse
    start_s : float
        Where their clock stands when that of the table begins.
    most : int, optional
        As many rows at most; the last line then says how many more there are.
    """
    timed = all(math.isfinite(pulse.time_s) for pulse in pulses)
    columns = [name for name in _COLUMNS if timed or name != "onset"]
    lines = ["\t".join(columns)]
    for pulse in pulses[:most]:
        cells = [getattr(pulse, _COLUMNS[name]) for name in columns]
        cells = [
            cell - start_s if name == "onset" else cell for name, cell in zip(columns, cells, strict=True)
        ]
        lines.append("\t".join(_cell(cell) for cell in cells))
    if most is not None and len(pulses) > most:
        lines.append(f"# … and {len(pulses) - most} more rows")
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value in {None, "", "unknown"}:
        return "n/a"
    return f"{value:.9g}" if isinstance(value, float) else str(value).replace("\t", " ")


def missing_form(pulses: Sequence[Pulse], channels: Sequence[str]) -> str:
    """Return a protocol of nothing but what is missing, to be completed; empty where nothing is.

    Examples
    --------
    >>> from sudeck.tms.signals.trials import Pulse
    >>> print(missing_form([Pulse(1.0, "single", muscle="FDI", state="rest")], ["FDI"]))
    hemisphere = "left"             # hemisphere under the coil: "left" or "right"
    <BLANKLINE>
    """
    lines = [
        f"{name} = {_WHOLE[name]}"
        for name in ("hemisphere", "state")
        if any(getattr(pulse, name) is None for pulse in pulses)
    ]
    named = dict.fromkeys(pulse.condition for pulse in pulses if pulse.condition)
    if not named and any(pulse.kind == "unknown" for pulse in pulses):
        lines.append('kind = "single"                 # of all stimuli; else give an events table')
    for channel in dict.fromkeys(channels):
        if channel and not muscle_and_side(channel)[0] and any(pulse.muscle is None for pulse in pulses):
            lines += [
                "",
                f"[channels.{json.dumps(channel, ensure_ascii=False)}]",
                'muscle = "FDI"',
                'side = "right"',
            ]
    pairs = any(pulse.kind == "paired" for pulse in pulses)
    for condition in named:
        own = [pulse for pulse in pulses if pulse.condition == condition]
        asked = []
        if any(pulse.kind == "unknown" for pulse in own):
            asked.append('kind = "single"                 # or, of a pair, isi_ms = 2.5')
        if pairs and all(pulse.test_mso is None and pulse.test_rmt is None for pulse in own):
            asked.append(_INTENSITIES[0])
        # A stimulus to a nerve is in no percent of a coil.
        magnetic = all(p.kind == "paired" and not p.afferent for p in own)
        if magnetic and all(p.conditioning_mso is None and p.conditioning_rmt is None for p in own):
            asked.append(_INTENSITIES[1])
        if asked:
            lines += ["", f"[conditions.{json.dumps(condition, ensure_ascii=False)}]", *asked]
    return "\n".join(lines).lstrip("\n") + "\n" if lines else ""


def protocol_form(pulses: Sequence[Pulse], channels: Sequence[str]) -> str:
    """Return a protocol for stimuli and channels; what nothing says stands behind a ``#``."""
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
        afferent = any(p.afferent for p in own)
        lines += ['conditioning_kind = "afferent"'] if afferent else []
        unstated = all(p.test_mso is None and p.test_rmt is None for p in own)
        wanted = _INTENSITIES if isi_ms is not None and not afferent else _INTENSITIES[:1]
        lines += [f"# {text}" for text in wanted] if unstated else []
    return "\n".join(lines) + "\n"
