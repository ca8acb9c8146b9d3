"""The circuit of every patient: spread over processes, kept with a fingerprint, fitted anew only when needed.

A fit takes seconds to a minute, so a patient whose measures did not change is not fitted again, and a run
that was stopped goes on where it was. One patient whose fit fails stops nobody.
"""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.errors import MissingDependencyError, SudeckError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.provenance import __version__, fingerprint_of, sha256_of_file
from sudeck.core.record import Record
from sudeck.core.storage import to_json, write_text
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.engine import Died, Progress, spread

if TYPE_CHECKING:
    from sudeck.mechanism.circuit_fit.explanation import Explanation
    from sudeck.mechanism.measure_table import MeasureTable

SEED: Final = 2018
_METHOD: Final = (".py", ".json", ".npz")
# One thread a fit, so that several do not quarrel and sums are added in one order; read when libraries load.
_ONE_THREAD: Final = {
    "NUMBA_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class FitFailure(Record):
    """A patient whose circuit could not be fitted, and why in one sentence."""

    participant_id: str
    reason: str

    def __str__(self) -> str:
        return f"{self.participant_id}: {self.reason}"


@dataclass(frozen=True)
class CircuitFits:
    """The circuits of a study.

    Attributes
    ----------
    explanations : tuple of Explanation
        In order of patients.
    failures : tuple of FitFailure
    fitted, unchanged : int
        Fitted now, and kept from before.
    """

    explanations: tuple[Explanation, ...]
    failures: tuple[FitFailure, ...]
    fitted: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class FitTask:
    """What a worker needs for one patient: plain numbers, so that nothing heavy loads to receive them."""

    patient: str
    measures: MeasureTable
    level: float
    seed: int


Fit = Callable[[FitTask], "Explanation | FitFailure"]


def require_circuit() -> None:
    """Refuse when the library that runs the circuit is not installed.

    Raises
    ------
    MissingDependencyError
        With the extra to install.
    """
    if importlib.util.find_spec("numba") is None:
        raise MissingDependencyError("The circuit of each patient", "circuit")


def fit_task(task: FitTask) -> Explanation | FitFailure:
    """Fit one patient; never raises for what is wrong with the data.

    Raises
    ------
    MissingDependencyError
        If a library is missing, which concerns all patients alike.
    """
    for name, value in _ONE_THREAD.items():
        os.environ.setdefault(name, value)
    try:
        from sudeck.mechanism.circuit_fit.patient_data import gather_patient

        data = gather_patient(task.measures, task.patient)
        from sudeck.mechanism.circuit_fit.patient_fit import explain_patient

        return explain_patient(data, level=task.level, rng=task.seed)
    except MissingDependencyError:
        raise
    except SudeckError as error:
        return FitFailure(task.patient, str(error))
    except Exception as error:  # one bad patient stops nobody; a foreign text may name a person, its kind not
        reason = f"The software failed ({type(error).__name__}); please report it with the version."
        return FitFailure(task.patient, reason)


def fit_circuits(
    study: StudyFolder,
    measures: MeasureTable,
    *,
    level: float,
    jobs: int | None = 1,
    cluster: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    fit: Fit = fit_task,
) -> CircuitFits:
    """Fit the circuit of every patient of a table.

    Parameters
    ----------
    study : StudyFolder
        Where fits are kept, one ``sub-…/sub-…_circuit.json`` a patient.
    measures : MeasureTable
        Rows of `sudeck.study.answers.stimulated.stimulation_table` for the circuit.
    level : float
        Coverage of the intervals.
    jobs, cluster
        As in `sudeck.study.measuring.run.run_study`.
    progress : callable, optional
        Told after every patient.
    fit : callable
        What fits one patient; importable by name.

    Raises
    ------
    MissingDependencyError
        If the libraries of the circuit, or with `cluster` Dask, are not installed.
    InputError
        If the cluster can not be reached.
    """
    patients = list(dict.fromkeys(str(one.patient) for one in measures.observations))
    found: dict[str, Explanation | FitFailure] = {}
    tasks: list[FitTask] = []
    for patient in patients:
        task = _task(measures, patient, level)
        kept = _kept(study, task)
        if kept is None:
            tasks.append(task)
        else:
            found[patient] = kept
    unchanged, pace = len(found), time.perf_counter()
    for done, (index, result) in enumerate(spread(fit, tasks, jobs=jobs, cluster=cluster), start=1):
        task = tasks[index]
        if isinstance(result, FitFailure):
            found[task.patient] = result
            fit_file(study, task.patient).unlink(missing_ok=True)
        elif isinstance(result, Died):
            reason = "The process that fitted it died, perhaps for lack of memory; use --jobs 1."
            found[task.patient] = FitFailure(task.patient, reason)
        else:
            _keep(study, task, result)
            found[task.patient] = result
        if progress:
            left = (time.perf_counter() - pace) / done * (len(tasks) - done)
            progress(Progress(done, len(tasks), unchanged, left))
    ordered = [found[patient] for patient in patients]
    return CircuitFits(
        tuple(one for one in ordered if not isinstance(one, FitFailure)),
        tuple(one for one in ordered if isinstance(one, FitFailure)),
        len(tasks),
        unchanged,
    )


def fit_file(study: StudyFolder, patient: str) -> Path:
    """Return where the fit of a patient is kept."""
    return study.patient_derivatives(patient) / f"{patient}_circuit.json"


def _task(measures: MeasureTable, patient: str, level: float) -> FitTask:
    own = tuple(one for one in measures.observations if str(one.patient) == patient)
    names = tuple(dict.fromkeys(one.measure for one in own))
    # All visits of the study: a patient who lacks the first one has no baseline, and must be seen to.
    table = replace(measures, observations=own, measures=names, flags=())
    return FitTask(patient, table, level, SEED)


def _fingerprint(task: FitTask) -> str:
    described = {
        "version": __version__,
        "method": _method(),
        "level": task.level,
        "seed": task.seed,
        "visits": task.measures.visits,
        "measures": [[str(value) for value in asdict(one).values()] for one in task.measures.observations],
    }
    return fingerprint_of(described)


@cache
def _method() -> str:
    from sudeck import circuit
    from sudeck.mechanism import circuit_fit

    return hash_of_method(Path(str(package.__file__)).parent for package in (circuit, circuit_fit))


def hash_of_method(packages: Iterable[Path]) -> str:
    """Return one hash of all that a fit rests on but the patient: circuits, network, and every line of code.

    A version does not stand for them: constants change within one, and a fit of the old ones would be kept.
    """
    files = [path for package in packages for path in sorted(package.rglob("*")) if path.suffix in _METHOD]
    return fingerprint_of({"files": [sha256_of_file(path) for path in files]})


def _keep(study: StudyFolder, task: FitTask, explanation: Explanation) -> None:
    content = {"fingerprint": _fingerprint(task), "explanation": asdict(explanation)}
    write_text(fit_file(study, task.patient), to_json(content))


def _kept(study: StudyFolder, task: FitTask) -> Explanation | None:
    """Return the fit as kept; None if there is none, or it is of other measures."""
    try:
        content = json.loads(fit_file(study, task.patient).read_text(encoding="utf-8"))
        if content["fingerprint"] != _fingerprint(task):
            return None
        return explanation_from(content["explanation"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def explanation_from(plain: Mapping[str, Any]) -> Explanation:
    """Build an explanation again from what `dataclasses.asdict` made of it."""
    from sudeck.mechanism.circuit_fit.explanation import (
        CurvePoint,
        Explanation,
        FactorEstimate,
        GroupShare,
        Hypothesis,
    )

    share = plain["share"]
    known = {
        "visits": tuple(plain["visits"]),
        "factors": _each(FactorEstimate, plain["factors"]),
        "hypotheses": _each(Hypothesis, plain["hypotheses"]),
        "curves": _each(CurvePoint, plain["curves"]),
        "flags": _each(Flag, plain["flags"]),
        "share": None
        if share is None
        else GroupShare(tuple(share["visits"]), tuple(map(tuple, share["precision"])), tuple(share["pull"])),
    }
    return Explanation(**{**plain, **known})


def _each(kind: Callable[..., Any], rows: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    estimates = ("estimate", "observed", "predicted")
    return tuple(
        kind(**{name: _estimate(value) if name in estimates else value for name, value in row.items()})
        for row in rows
    )


def _estimate(plain: Mapping[str, Any]) -> Estimate:
    """Build an estimate; JSON has no infinity, so an open bound was kept as nothing."""
    low = -float("inf") if plain["low"] is None else plain["low"]
    high = float("inf") if plain["high"] is None else plain["high"]
    return Estimate(**{**plain, "low": low, "high": high})
