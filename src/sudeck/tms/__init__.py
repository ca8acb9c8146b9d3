"""Magnetic stimulation: recordings in, thresholds, MEPs, paired-pulse measures and silent periods out.

Comes in: recordings, or tables of amplitudes, with an events table and a protocol. Goes out: a `TmsResult`,
every number with its interval. Read `readers`, `recordings`, `responses`, `thresholds`, `measures`,
in the order of the data, then `measurement`.
"""

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.tms.comparison import compare_results
    from sudeck.tms.measurement import TmsSettings, measure_recordings, measure_trials
    from sudeck.tms.recordings.labelled_trials import read_trials
    from sudeck.tms.recordings.recording_batch import RecordingBatch, read_recordings
    from sudeck.tms.recordings.trial_decisions import TrialDecision
    from sudeck.tms.result import TmsResult
    from sudeck.tms.signals.trials import AmplitudeTable, Pulse, TrialSet

__all__ = [
    "AmplitudeTable",
    "Pulse",
    "RecordingBatch",
    "TmsResult",
    "TmsSettings",
    "TrialDecision",
    "TrialSet",
    "compare_results",
    "measure_recordings",
    "measure_trials",
    "read_recordings",
    "read_trials",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    comparison="compare_results",
    measurement="TmsSettings measure_recordings measure_trials",
    recordings__labelled_trials="read_trials",
    recordings__recording_batch="RecordingBatch read_recordings",
    recordings__trial_decisions="TrialDecision",
    result="TmsResult",
    signals__trials="AmplitudeTable Pulse TrialSet",
)
