"""What each stimulus was: the recording, the events table and the protocol put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.tms.recordings.protocol import ChannelRole, StimulationProtocol
from sudeck.tms.signals.events import EventsTable, Given
from sudeck.tms.signals.forms import events_form
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.neutral_labels import plain_name
from sudeck.tms.signals.recording import Section
from sudeck.tms.signals.trials import Pulse

if TYPE_CHECKING:
    from sudeck.tms.recordings.pulses import FoundPulse

# What no amount of signal can tell, and every measure by hemisphere needs.
_ASKED = {
    "kind": "which stimuli were single and which were paired",
    "hemisphere": "which hemisphere was stimulated",
    "muscle": "which muscle was recorded",
    "state": "whether the muscle was at rest or active",
}
# Recorded and stated intervals further apart than this contradict each other.
_ISI_TOLERANCE_MS = 1.0
# As many rows of a table does a refusal show.
_ROWS = 60


def tell_pulses(
    found: Sequence[FoundPulse],
    *,
    label: str,
    events: EventsTable | None = None,
    protocol: StimulationProtocol | None = None,
    sections: Sequence[Section | None] = (),
) -> tuple[tuple[Pulse, ...], tuple[Flag, ...]]:
    """Join what the recording shows with what events table and protocol say.

    The events table goes before the protocol's conditions, these before its defaults. Nothing is guessed:
    what nobody says stays ``None`` (or ``"unknown"``) and is asked for in a flag.

    Parameters
    ----------
    found : sequence of FoundPulse
        In order of time.
    label : str
        Name of the recording, for messages.
    events : EventsTable, optional
        One row a stimulus, in the same order.
    protocol : StimulationProtocol, optional
    sections : sequence of Section, optional
        The section each stimulus lies in, for its label and what the file tells of it.

    Raises
    ------
    InputError
        If the number of stimuli differs from that of events or sequence.
    """
    protocol = protocol or StimulationProtocol()
    if events is not None and len(events.rows) != len(found):
        raise InputError(
            label,
            f"{len(found)} stimuli were found but the events table has {len(events.rows)} rows",
            "give the time of each stimulus in a column onset, or correct the table",
        )
    if protocol.sequence and len(protocol.sequence) != len(found):
        raise InputError(
            label,
            f"{len(found)} stimuli were found but the protocol's sequence has {len(protocol.sequence)}",
            "correct [sequence] or give an events table",
        )
    pulses, flags = [], []
    for index, pulse in enumerate(found):
        row = events.rows[index] if events is not None else {}
        section = sections[index] if sections else None
        given_by_file = {} if section is None else dict(section.given)
        ordered = protocol.sequence[index] if protocol.sequence else ""
        names = [
            str(row.get("condition", "")),
            ordered,
            pulse.label,
            "" if section is None else section.label,
        ]
        condition = next((name for name in names if plain_name(name) in protocol.conditions), "")
        given: Given = {
            **given_by_file,
            **protocol.defaults,
            **protocol.conditions.get(plain_name(condition), {}),
            **row,
        }
        given.setdefault("condition", next((name for name in names if name), ""))
        given = {key: value for key, value in given.items() if key in Pulse.__dataclass_fields__}
        if pulse.kind == "paired" and pulse.isi_ms is not None:
            stated = given.get("isi_ms")
            if given.get("kind") == "single" or (
                stated is not None and abs(stated - pulse.isi_ms) > _ISI_TOLERANCE_MS
            ):
                flags.append(_contradiction(index, pulse, stated))
            given.setdefault("kind", "paired")
            if given["kind"] == "paired":
                given.setdefault("isi_ms", pulse.isi_ms)
        given.setdefault("kind", pulse.kind)
        pulses.append(Pulse(**{**given, "time_s": pulse.time_s}))
    return tuple(pulses), tuple(flags)


def _stated_intervals(
    found: Sequence[FoundPulse],
    events: EventsTable | None,
    protocol: StimulationProtocol,
    sections: Sequence[Section | None],
) -> list[float | None]:
    """Return the interval that is stated of each stimulus; of none where rows and stimuli do not match."""
    given = (events.rows if events is not None else (), protocol.sequence)
    if any(rows and len(rows) != len(found) for rows in given):
        return [None] * len(found)
    bare = [replace(pulse, isi_ms=None) for pulse in found]
    stated, _ = tell_pulses(bare, label="", events=events, protocol=protocol, sections=sections)
    return [pulse.isi_ms for pulse in stated]


def placed_at_test(
    marked: Sequence[FoundPulse],
    looked: Sequence[FoundPulse],
    events: EventsTable | None,
    protocol: StimulationProtocol,
    sections: Sequence[Section | None],
) -> tuple[tuple[FoundPulse, ...], tuple[Flag, ...]]:
    """Put pairs of one marker and a stated interval at their test pulse.

    Artefacts show the pulse after a marker only where it comes within some 15 ms: of a marker at the
    conditioning pulse of LICI they would leave the response to that pulse to be measured.

    Parameters
    ----------
    marked, looked : sequence of FoundPulse
        As their markers have them, and after `look_for_pairs`.
    events, protocol, sections
        As in `tell_pulses`. Where the protocol states which pulse of a pair a marker is of, what artefacts
        say moves none.

    Returns
    -------
    pulses : tuple of FoundPulse
    flags : tuple of Flag
        Where nothing is stated, and artefacts do not settle it, that the marker was taken for the test pulse.
    """
    isi_ms, onset = _stated_intervals(marked, events, protocol, sections), protocol.onset
    placed, n_open = [], 0
    for pulse, seen, gap_ms in zip(marked, looked, isi_ms, strict=True):
        if gap_ms is None or pulse.kind == "paired":
            placed.append(seen)
        elif onset is None:
            placed.append(seen)
            n_open += seen.kind != "paired"
        else:
            late_s = gap_ms / 1e3 if onset == "conditioning" else 0.0
            placed.append(replace(seen, time_s=pulse.time_s + late_s))
    return tuple(placed), onset_assumed(n_open)


def onset_assumed(n_pairs: int) -> tuple[Flag, ...]:
    """Flag pairs whose onset may stand for either pulse, where neither statement nor artefact settles it."""
    if not n_pairs:
        return ()
    return (
        Flag(
            "onset-of-pair-assumed",
            f"The onsets of {n_pairs} pairs were taken for their test pulses; if they are those of the "
            "conditioning pulses, write onset = 'conditioning' under [pulses] in the protocol file.",
            "caution",
            value=float(n_pairs),
            unit="pairs",
        ),
    )


def as_it_seems(found: FoundPulse, pulse: Pulse) -> Pulse:
    """Fill in what the artefact of a stimulus looks like where its kind is open: a proposal, for a form."""
    seen = found.seems
    if seen is None or pulse.kind != "unknown":
        return pulse
    return replace(pulse, kind=seen.kind, isi_ms=seen.isi_ms, time_s=seen.time_s)


def without_open(
    found: Sequence[FoundPulse], pulses: Sequence[Pulse], label: str, start_s: float = 0.0
) -> tuple[list[int], tuple[Flag, ...]]:
    """Leave out stimuli whose name holds several kinds while nothing says which is which.

    Parameters
    ----------
    found : sequence of FoundPulse
    pulses : sequence of Pulse
        The same, with all that is stated.
    label : str
        Name of the recording, for messages.
    start_s : float
        Where their clock stands when that of an events table begins.

    Returns
    -------
    kept : list of int
    flags : tuple of Flag

    Raises
    ------
    InputError
        If none is left; with an events table to paste, filled with what each looks like.
    """
    seems = {
        i: one.seems
        for i, (one, pulse) in enumerate(zip(found, pulses, strict=True))
        if one.seems is not None and pulse.kind == "unknown"
    }
    if not seems:
        return list(range(len(pulses))), ()
    counts = Counter(f"at {one.isi_ms:g} ms" if one.isi_ms else one.kind for one in seems.values())
    looks = ", ".join(
        f"{n} {'paired ' if name.startswith('at') else ''}{'unclear' if name == 'unknown' else name}"
        for name, n in sorted(counts.items())
    )
    named = ", ".join(sorted({found[i].label for i in seems if found[i].label})) or "without a name"
    filled = [as_it_seems(one, pulse) for one, pulse in zip(found, pulses, strict=True)]
    if len(seems) == len(pulses):
        raise InputError(
            label,
            f"its {len(seems)} stimuli ({named}) look unlike by their artefacts ({looks}), and nothing says "
            "which were single and which paired; their responses are not one MEP",
            f"check the table below, save it as events.tsv and give it with --events (sudeck inspect {label} "
            "--template FOLDER writes it whole, and a protocol)",
            paste=events_form(filled, start_s, most=_ROWS),
        )
    text = (
        f"{len(seems)} of {len(pulses)} stimuli ({named}) look unlike by their artefacts ({looks}), and "
        "nothing says which were single and which paired; they were left out. State kind and isi_ms in the "
        "events table, or under [conditions] in the protocol file."
    )
    flag = Flag("kind-open-left-out", text, "serious", named, value=float(len(seems)), unit="stimuli")
    return [i for i in range(len(pulses)) if i not in seems], (flag,)


def tell_channel(
    pulses: Sequence[Pulse], channel: str, protocol: StimulationProtocol | None = None
) -> tuple[Pulse, ...]:
    """Write muscle and side of a channel into its pulses: from the protocol, else from its label."""
    role = (protocol or StimulationProtocol()).channels.get(channel, ChannelRole())
    muscle, side = muscle_and_side(channel)
    muscle, side = role.muscle or muscle, role.side or side
    # A channel that names its muscle knows better than a default for the whole recording.
    return tuple(
        replace(pulse, muscle=muscle or pulse.muscle, muscle_side=side or pulse.muscle_side)
        for pulse in pulses
    )


def questions(pulses: Sequence[Pulse]) -> tuple[Flag, ...]:
    """Ask for what neither file nor table nor protocol says.

    Examples
    --------
    >>> [flag.subject for flag in questions([Pulse(1.0, "single", hemisphere="left", muscle="FDI")])]
    ['state']
    """
    flags = []
    for name, asked in _ASKED.items():
        open_ones = sum(getattr(pulse, name) in {None, "unknown"} for pulse in pulses)
        if open_ones:
            flags.append(
                Flag(
                    "not-stated",
                    f"Nothing says {asked} for {open_ones} of {len(pulses)} stimuli; "
                    f"add {name} to the events table or the protocol file.",
                    "caution" if name == "hemisphere" else "info",
                    name,
                    value=float(open_ones),
                    limit=0.0,
                    unit="stimuli",
                )
            )
    return tuple(flags)


def few_trials(n_trials: int) -> tuple[Flag, ...]:
    """Flag a set of one trial, of which nothing has an interval."""
    if n_trials > 1:
        return ()
    return (
        Flag(
            "one-trial",
            "There is one trial only: no interval can be given for anything measured on it.",
            "serious",
            value=float(n_trials),
            limit=2.0,
            unit="trials",
        ),
    )


def _contradiction(index: int, pulse: FoundPulse, stated: float | None) -> Flag:
    said = "a single pulse" if stated is None else f"an interval of {stated:g} ms"
    return Flag(
        "interval-contradicted",
        f"Trial {index + 1} is said to be {said}, but the recording shows a pair {pulse.isi_ms:g} ms apart.",
        "serious",
        f"trial {index + 1}",
        value=pulse.isi_ms,
        limit=stated,
        unit="ms",
    )
