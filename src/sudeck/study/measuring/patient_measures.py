"""Every measure of one patient: a record that can be kept, and what could not be measured and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from sudeck.core.errors import InputError, SudeckError
from sudeck.core.record import Record
from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.study.folder.settings import Settings
from sudeck.study.measuring.choices import (
    ScanChoices,
    acceptances,
    excluded_recordings,
    scan_choices,
    trial_choices,
)
from sudeck.study.measuring.inputs import PatientInputs, protocol_among, recordings_among
from sudeck.study.measuring.neutral_names import neutral_names
from sudeck.tms.signals.neutral_labels import neutral_labels, neutralise

if TYPE_CHECKING:
    from pathlib import Path

    from sudeck.core.provenance import Provenance
    from sudeck.scan.measurement import MeasureSettings
    from sudeck.scan.result import ScanResult
    from sudeck.tms.recordings.trial_decisions import TrialDecision
    from sudeck.tms.result import TmsResult

FailureKind = Literal["absent", "refused", "crashed"]
# Makes further files of a result, e.g. its page: from the result to content by file name.
Presenter = Callable[["ScanResult | TmsResult"], Mapping[str, bytes]]

# A record depends on its inputs alone, to the last bit; when it was made stands in run.json.
_UNDECIDE: Final = "record a new decision to take it in again"
_CREATED: Final = "at the time that run.json states"


@dataclass(frozen=True, slots=True)
class Failure(Record):
    """Something of a patient that was not measured.

    Attributes
    ----------
    participant_id, session : str
        `session` is empty where the whole patient is concerned.
    measure : str
        ``"scan"``, ``"tms"``, one of the six ratios, or ``"patient"``.
    kind : {"absent", "refused", "crashed"}
        Nothing was given; what was given can not be measured; the software failed, which a new run tries
        again.
    reason : str
        One sentence.
    """

    participant_id: str
    session: str
    measure: str
    kind: FailureKind
    reason: str

    def __str__(self) -> str:
        place = " ".join(filter(None, (self.participant_id, self.session, self.measure)))
        return f"{place}: {self.reason}"


@dataclass(frozen=True)
class PatientRecord:
    """What was measured of one patient.

    Attributes
    ----------
    participant_id : str
    fingerprint : str
        Of the inputs it was made from.
    scans, recordings : Mapping of str to dict
        Results by session, as in scan.json and tms.json.
    trials : Mapping of str to list of dict
        Rows of trials.tsv by session.
    accepted : Mapping of str to list of dict
        Who accepted each session and, under an empty name, signed the patient off.
    decided : tuple of str
        Hashes of the lines of decisions it rests on.
    failures : tuple of Failure
    files : Mapping of str to bytes
        Pages and pictures, by file name.
    """

    participant_id: str
    fingerprint: str
    scans: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    recordings: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    trials: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    accepted: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)
    decided: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as it is stored; `trials` and `files` are stored beside it."""
        return {
            "participant_id": self.participant_id,
            "fingerprint": self.fingerprint,
            "scans": dict(self.scans),
            "recordings": dict(self.recordings),
            "accepted": dict(self.accepted),
            "decided": list(self.decided),
            "failures": [failure.to_dict() for failure in self.failures],
            "files": sorted([*self.files, *(trials_name(session) for session in self.trials)]),
        }


def trials_name(session: str) -> str:
    """Return the name of the table of trials of a session."""
    return f"{session}_trials.tsv"


def measure_patient(
    patient: PatientInputs, settings: Settings, *, fingerprint: str, present: Presenter | None = None
) -> PatientRecord:
    """Measure everything there is of one patient. Never raises for what is wrong with the data.

    Parameters
    ----------
    patient : PatientInputs
    settings : Settings
        Of the study.
    fingerprint : str
        Of `patient`, kept with the record.
    present : callable, optional
        Makes further files of each result.
    """
    pid = patient.participant_id
    if not patient.listed:
        reason = "There are files of this patient, but participants.tsv has no row; add it."
        return PatientRecord(pid, fingerprint, failures=(Failure(pid, "", "patient", "refused", reason),))
    if patient.trouble:
        return PatientRecord(
            pid, fingerprint, failures=(Failure(pid, "", "patient", "refused", patient.trouble),)
        )
    sessions = ("", *dict.fromkeys((*patient.scans, *patient.recordings)))
    accepted = {session: acceptances(patient.decisions, session) for session in sessions}
    record = PatientRecord(
        pid,
        fingerprint,
        accepted={session: by for session, by in accepted.items() if by},
        decided=patient.decided,
    )
    for session, paths in patient.scans.items():
        record = _with_scan(record, patient, session, paths, settings, present)
    for session, paths in patient.recordings.items():
        record = _with_recordings(record, patient, session, paths, settings, present)
    if settings.scan_session not in patient.scans:
        reason = f"There is no bone scan in {settings.scan_session}."
        absent = Failure(pid, settings.scan_session, "scan", "absent", reason)
        record = replace(record, failures=(*record.failures, absent))
    return record


def _with_scan(
    record: PatientRecord,
    patient: PatientInputs,
    session: str,
    paths: tuple[Path, ...],
    settings: Settings,
    present: Presenter | None,
) -> PatientRecord:
    instead = neutral_names(paths, patient.participant_id)
    try:
        result = _measure_scan(patient, session, paths, settings)
        files = _presented(result, session, present, instead)
    except Exception as error:  # one bad patient stops nobody
        return _failed(record, session, "scan", error, instead)
    refused = tuple(
        Failure(record.participant_id, session, name, "refused", neutralise(reason, instead))
        for name, reason in result.refused.items()
        if name in PHASE_RATIOS.values()  # a ratio of ratios only repeats them
    )
    plain = neutralise(_undated(result.to_dict()), instead)
    return replace(
        record,
        scans={**record.scans, session: plain},
        failures=(*record.failures, *refused),
        files={**record.files, **files},
    )


def _with_recordings(
    record: PatientRecord,
    patient: PatientInputs,
    session: str,
    paths: tuple[Path, ...],
    settings: Settings,
    present: Presenter | None,
) -> PatientRecord:
    instead = neutral_names(paths, patient.participant_id)
    try:
        result = _measure_recordings(patient, session, paths, settings)
        instead |= neutral_labels(_labels(result), allowed=settings.muscles)
        files = _presented(result, session, present, instead)
    except Exception as error:  # one bad patient stops nobody
        instead |= neutral_labels(_labels_in(paths), allowed=settings.muscles)
        return _failed(record, session, "tms", error, instead)
    rows = neutralise([trial.to_row() for trial in result.trials], instead)
    plain = neutralise(_undated(result.to_dict()), instead)
    return replace(
        record,
        recordings={**record.recordings, session: plain},
        trials={**record.trials, session: rows},
        files={**record.files, **files},
    )


def _failed(
    record: PatientRecord, session: str, measure: str, error: Exception, instead: Mapping[str, str]
) -> PatientRecord:
    pid = record.participant_id
    if isinstance(error, SudeckError):
        failure = Failure(pid, session, measure, "refused", neutralise(str(error), instead))
    else:
        # The text of a foreign error may name a person; its kind does not.
        reason = (
            f"The software failed ({type(error).__name__}); please report it with the format of the files."
        )
        failure = Failure(pid, session, measure, "crashed", reason)
    return replace(record, failures=(*record.failures, failure))


def _measure_scan(
    patient: PatientInputs, session: str, paths: tuple[Path, ...], settings: Settings
) -> ScanResult:
    from sudeck.scan.measurement import measure_scan
    from sudeck.scan.phases.phase_series import read_scan

    choices = scan_choices(patient.decisions, session)
    if choices.excluded:
        raise _left_out(patient, choices.excluded, settings)
    affected = choices.affected or patient.affected
    if affected is None:
        raise InputError(
            patient.participant_id, "participants.tsv does not say the affected side", "fill in affected_side"
        )
    scan = read_scan(paths, **reading_of(patient, choices, settings))
    how = measuring_of(choices, settings)
    result = measure_scan(scan, affected=affected, settings=how)
    return replace(result, provenance=_timeless(result.provenance))


def reading_of(patient: PatientInputs, choices: ScanChoices, settings: Settings) -> dict[str, Any]:
    """Return how the files of a scan are read: what the study says, and what a person decided."""
    usual = {"limb": patient.limb, "usual_view": settings.view or None, "flow_s": settings.flow_seconds}
    return {**usual, **choices.reading}


def measuring_of(choices: ScanChoices, settings: Settings) -> MeasureSettings:
    """Return how a scan is measured: as the study says, in the region and the counterpart a person set."""
    return replace(settings.scan_settings(), drawn=choices.region, mirror=choices.mirror)


def _measure_recordings(
    patient: PatientInputs, session: str, paths: tuple[Path, ...], settings: Settings
) -> TmsResult:
    from sudeck.tms.measurement import TmsSettings, measure_recordings

    excluded = excluded_recordings(patient.decisions, session)
    if excluded:
        raise _left_out(patient, excluded, settings)
    result = measure_recordings(
        recordings_among(paths),
        protocol=protocol_among(paths),
        participant=patient.participant_id,
        visit=session,
        settings=TmsSettings(measures=settings.tms_settings()),
        decisions=decided_trials(patient, session),
    )
    result = of_muscles(result, settings.muscles)
    return replace(result, provenance=_timeless(result.provenance))


def of_muscles(result: TmsResult, wanted: Sequence[str]) -> TmsResult:
    """Return what was measured on the muscles a study is about; all where it names none."""
    if not wanted:
        return result
    return replace(
        result,
        groups=tuple(group for group in result.groups if group.muscle in wanted),
        estimates_without_flagged=tuple(
            one for one in result.estimates_without_flagged if one.muscle in wanted
        ),
        estimates_undecided=tuple(one for one in result.estimates_undecided if one.muscle in wanted),
    )


def decided_trials(patient: PatientInputs, session: str) -> list[TrialDecision]:
    """Return what was decided on the trials of a session, as the measurement takes it."""
    from sudeck.tms.recordings.trial_decisions import TrialDecision

    # Decisions name recordings as the results do, where a name that may name a person was replaced.
    names = neutral_names(patient.recordings[session], patient.participant_id)
    real = {neutral: name for name, neutral in names.items()}
    return [
        TrialDecision(
            choice.trial,
            rejected=choice.rejected,
            onset_ms=choice.onset_ms,
            who=choice.who,
            why=choice.why,
            file=real.get(choice.file, choice.file),
            channel=choice.channel,
        )
        for choice in trial_choices(patient.decisions, session)
    ]


def _left_out(patient: PatientInputs, why: str, settings: Settings) -> InputError:
    """Build the refusal of what a person left out; the reason is free text and may name somebody."""
    said = f" ({why})" if settings.free_text else "; the decisions say why"
    return InputError(patient.participant_id, f"a person left it out{said}", _UNDECIDE)


def _labels(result: TmsResult) -> list[str]:
    """Return every label that a person may have typed at the amplifier."""
    labels = [text for trial in result.trials for text in (trial.channel, trial.pulse.condition)]
    labels += [group.muscle or "" for group in result.groups]
    return labels + [trial.participant for trial in result.trials]


def _labels_in(paths: Iterable[Path]) -> list[str]:
    """Return the labels in recordings that could not be measured: the reason may quote them."""
    from sudeck.tms.readers import read_file
    from sudeck.tms.signals.recording import Recording

    labels: list[str] = []
    for path in recordings_among(paths):
        try:
            contents = read_file(path)
        except SudeckError:
            continue
        if isinstance(contents, Recording):
            labels += [signal.name for signal in contents.signals]
            labels += [text for marker in contents.markers for text in (marker.label, marker.channel)]
            labels += [section.label for section in contents.sections]
        else:
            labels += [getattr(item, "channel", "") for item in contents]
            labels += [pulse.condition for item in contents for pulse in item.pulses]
    return labels


def _timeless(provenance: Provenance) -> Provenance:
    return replace(provenance, created=_CREATED)


def _undated(plain: dict[str, Any]) -> dict[str, Any]:
    provenance = {name: value for name, value in plain["provenance"].items() if name != "created"}
    return plain | {"provenance": provenance}


def _presented(
    result: ScanResult | TmsResult, session: str, present: Presenter | None, instead: Mapping[str, str]
) -> dict[str, bytes]:
    made = present(result) if present else {}
    return {
        f"{session}_{name}": neutralise(content.decode(), instead).encode() if _is_text(name) else content
        for name, content in made.items()
    }


def _is_text(name: str) -> bool:
    return name.endswith((".html", ".svg", ".json", ".tsv"))
