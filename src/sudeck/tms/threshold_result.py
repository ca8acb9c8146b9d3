"""A threshold found at the stimulator as a result like any other: the same JSON and table of trials."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from sudeck.core.errors import InputError
from sudeck.core.provenance import Provenance, SourceFile, sha256_of
from sudeck.tms.measures.measured import GroupMeasures, Measured, Trial
from sudeck.tms.result import TmsResult
from sudeck.tms.signals.trials import Pulse
from sudeck.tms.thresholds.motor_threshold import bayesian_threshold

if TYPE_CHECKING:
    from sudeck.core.vocabulary import Side
    from sudeck.tms.thresholds.session import ThresholdSession

_LABEL = "typed at the stimulator"


def session_result(
    session: ThresholdSession,
    *,
    hemisphere: Side | None = None,
    muscle: str = "",
    participant: str = "",
    visit: str = "",
) -> TmsResult:
    """Return what a session found, as a measurement of one hemisphere and muscle.

    Raises
    ------
    InputError
        If no pulse was given.
    """
    if not session.pulses:
        raise InputError("threshold", "no pulse was given", "type at least one response")
    pulses = session.pulses
    threshold = bayesian_threshold(
        [one.intensity_mso for one in pulses],
        [one.amplitude_mv for one in pulses],
        name=session.name,
        prior=session.prior,
        criterion_mv=session.criterion,
        evidence=session.evidence,
    )
    trials = [
        Trial(
            _LABEL,
            number,
            "",
            Pulse(
                math.nan,
                "single",
                test_mso=one.intensity_mso,
                hemisphere=hemisphere,
                muscle=muscle or None,
                state="active" if session.active else "rest",
                visit=visit,
                participant=participant,
            ),
            {"amplitude_mv": one.amplitude_mv if one.graded else math.nan},
            present=one.amplitude_mv >= session.criterion,
            csp_censored=False,
            participant=participant,
        )
        for number, one in enumerate(pulses, start=1)
    ]
    named = Measured(
        session.name, hemisphere, muscle, threshold.estimate, visit=visit, participant=participant
    )
    group = GroupMeasures(
        visit, hemisphere, muscle, (named,), {session.name: threshold}, None, (), tuple(threshold.flags),
        participant=participant, key=trials[0].group,
    )  # fmt: skip
    plain = session.to_dict()
    content = json.dumps(plain, sort_keys=True).encode()
    source = SourceFile(_LABEL, sha256_of(content), len(content))
    return TmsResult(
        groups=(group,),
        estimates_without_flagged=(named,),
        trials=tuple(trials),
        sweeps=(),
        flags=tuple(threshold.flags),
        provenance=Provenance((source,), plain["settings"]),
    )
