"""Speed of the circuit: the engines beside simpler ways, a patient's battery beside whole trials, memory.

Run with ``python benchmarks/bench_circuit_speed.py [--quick] [--tvb PYTHON]``; needs the extra ``circuit``.
PYTHON is an interpreter of its own that has tvb-library. With ``--study FOLDER`` (one that was run, say
`sudeck demo`'s) only `sudeck explain` is timed, beside the simulations that its fits can not do without.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from circuit_plain_steppers import lay_out, run_scalar_numba
from sudeck.circuit.parameters import Circuit, select
from sudeck.circuit.protocols import MEASURES
from sudeck.circuit.readout import measure
from sudeck.circuit.reference import load_distribution, load_reference
from sudeck.circuit.steppers.numba_stepper import run_numba
from sudeck.circuit.steppers.numpy_stepper import run_reference
from sudeck.circuit.steppers.rest import Rest, find_rest
from sudeck.circuit.steppers.stimulus import CircuitPulse, Trials, make_trials
from sudeck.mechanism.circuit_fit.hypotheses import draw_factors
from sudeck.mechanism.circuit_fit.likelihood import simulate_patient
from sudeck.mechanism.circuit_fit.patient_data import PatientData, gather_patient
from sudeck.mechanism.circuit_fit.patient_fit import DRAWS
from sudeck.study.answers.why import assemble_stimulation
from sudeck.study.folder.layout import open_study

TARGET_PER_S = 5500
TURNS = 3  # of the study
DURATION_MS, DT_MS = 400.0, 0.1
PULSES = [CircuitPulse(1.0, 1.2)]
BATTERY = (
    "MEP_1.2",
    *(f"SICI_{isi}" for isi in (1, 2, 3, 4, 5)),
    *(f"ICF_{isi}" for isi in (10, 12, 15, 20, 25)),
    "LICI_100",
    "IHI_10",
)
# Levels at which a threshold is sought: the coarse grid and two refinements.
THRESHOLD_TRIALS = 13


def many_trials(circuits: Circuit, count: int) -> tuple[Circuit, Trials, Rest]:
    many = select(circuits, np.arange(count) % circuits.n_circuits)
    trials = make_trials(PULSES, count=count)
    return many, trials, find_rest(many, trials.contraction_mv)


def time_best(run: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Return the shortest wall time and the shortest processor time of several runs."""
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return min(walls), min(processors)


def print_rates(circuits: Circuit, count: int, repeats: int, tvb: str | None) -> None:
    print(
        f"\n400 ms at 0.1 ms, {count} trials; target {TARGET_PER_S} a second on two cores (best of {repeats})"
    )
    print(f"{'':40}{'per s wall':>12}{'per s processor':>17}")
    for label, run, done in _ways(circuits, count):
        run()  # compiles
        wall, processor = time_best(run, repeats)
        print(f"{label:40}{done / wall:12.4g}{done / processor:17.4g}", flush=True)
    label = "The Virtual Brain, 2 Jansen-Rit regions"
    if tvb is None:
        print(f"{label:40}{'not installed':>12}")
        return
    script = Path(__file__).with_name("tvb_two_regions.py")
    shown = subprocess.run([tvb, str(script)], capture_output=True, text=True, check=True).stdout
    wall_rate, processor_rate = json.loads(shown.splitlines()[-1])
    print(f"{label:40}{wall_rate:12.4g}{processor_rate:17.4g}")


def _ways(circuits: Circuit, count: int) -> Iterator[tuple[str, Callable[[], object], float]]:
    many, trials, rest = many_trials(circuits, count)
    for threads in (1, 2):
        yield (
            f"Numba in lanes, {threads} thread{'s' * (threads > 1)}",
            lambda threads=threads: run_numba(
                many, trials, rest, duration_ms=DURATION_MS, dt_ms=DT_MS, threads=threads
            ),
            count,
        )
    plain = lay_out(many, trials, rest, round(DURATION_MS / DT_MS), DT_MS)
    few = count // 8
    part = [array[:few] for array in plain[:4]]
    yield "Numba, plain loop over one trial", lambda: run_scalar_numba(*part, *plain[4:]), few

    yield "NumPy, batch", lambda: run_reference(many, trials, rest, duration_ms=50.0), count / 8
    one, one_trial, one_rest = many_trials(circuits, 1)
    yield "NumPy, one at a time", lambda: run_reference(one, one_trial, one_rest, duration_ms=100.0), 0.25


def print_battery(circuits: Circuit, patients: int, repeats: int) -> None:
    """RMT, MEP, 10 intervals, LICI, IHI, both sides, two visits: beside 400 ms from rest for each trial."""
    wanted = [MEASURES[name] for name in BATTERY]
    each = 4 * (len(wanted) + THRESHOLD_TRIALS)
    for count, times in ((1, 10 * repeats), (patients, 2 * repeats)):
        measured = select(circuits, np.arange(4 * count) % circuits.n_circuits)
        many, trials, _ = many_trials(circuits, each * count)

        def battery(measured: Circuit = measured) -> None:
            measure(measured, wanted, engine="numba", dt_ms=DT_MS)

        def whole(many: Circuit = many, trials: Trials = trials) -> None:
            run_numba(many, trials, duration_ms=DURATION_MS, dt_ms=DT_MS)

        battery(), whole()
        (short, short_cpu), (long, long_cpu) = time_best(battery, times), time_best(whole, times)
        print(
            f"{f'battery of {count} patient' + 's' * (count > 1):26}{1e3 * short:10.1f} ms wall"
            f"{1e3 * short_cpu:10.1f} ms processor; its {each * count} trials of 400 ms each: "
            f"{1e3 * long:.1f}, {1e3 * long_cpu:.1f} ms; "
            f"{long / short:.1f}, {long_cpu / short_cpu:.1f} times cheaper (target 10)",
            flush=True,
        )


def print_memory(count: int) -> None:
    """Print the largest memory of a process that measures everything on many circuits.

    To be called first: the count of a new process begins with what this one holds.
    """
    script = (
        "import resource, sys, numpy as np\n"
        "from sudeck.circuit.readout import measure\n"
        "from sudeck.circuit.parameters import select\n"
        "from sudeck.circuit.protocols import MEASURES\n"
        "from sudeck.circuit.reference import load_reference\n"
        "circuits = load_reference()\n"
        f"many = select(circuits, np.arange({count}) % circuits.n_circuits)\n"
        "measure(many, list(MEASURES.values()), engine='numba')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    print(
        f"{len(MEASURES)} measures of {count} circuits: peak memory {int(shown.stdout) / 1024**2:.2f} GB "
        "(target below 1)",
        flush=True,
    )


def print_study(root: Path, workers: int = 2) -> None:
    """Time `sudeck explain` of a study, and in turn with it the simulations alone of the same patients.

    Every fit simulates each of its draws once; here so many draws of the prior are simulated.
    """
    with tempfile.TemporaryDirectory() as folder:
        study = Path(shutil.copytree(root, Path(folder) / "study"))
        table = assemble_stimulation(open_study(study)).circuit_measures()
        people = [
            gather_patient(table, name) for name in dict.fromkeys(o.patient for o in table.observations)
        ]
        explain = ["sudeck", "explain", str(study)]
        ways: dict[str, Callable[[], tuple[float, float]]] = {
            "simulations alone": lambda: _simulate_all(people, workers),
            "statistics and page alone": lambda: _command([*explain, "--no-circuit"]),
            "explain": lambda: _command([*explain, "--jobs", str(workers)]),
        }
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(TURNS):
            for name, run in ways.items():
                for kept in study.rglob("*_circuit.json"):
                    kept.unlink()
                spent[name].append(run())
    print(f"{len(people)} patients, {workers} processes, median of {TURNS} turns (wall; processor)")
    middle = {name: np.median(found, axis=0) for name, found in spent.items()}
    for name, (wall, processor) in middle.items():
        print(f"  {name:28}{wall:7.1f} s{processor:8.1f} s")
    wall, processor = middle["explain"] / middle["simulations alone"]
    print(f"  explain over simulations    {wall:7.2f}  {processor:8.2f}    (target 3)")


def _simulate_all(people: list[PatientData], workers: int) -> tuple[float, float]:
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(_simulate, people[:workers]))  # loads what is compiled
        begun = time.perf_counter()
        processor = sum(pool.map(_simulate, people))
        return time.perf_counter() - begun, processor


def _simulate(data: PatientData) -> float:
    """Simulate as many draws as a fit has; return the processor time."""
    rng, begun = np.random.default_rng(0), time.process_time()
    factors, _ = draw_factors(len(data.visits), DRAWS, rng)
    simulate_patient(data, np.concatenate([load_distribution().draw(DRAWS, rng), factors]))
    return time.process_time() - begun


def _command(words: list[str]) -> tuple[float, float]:
    """Run a command; return its wall time and the processor time of it and its processes."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - wall, processor


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer simulations")
    parser.add_argument("--tvb", metavar="PYTHON", help="interpreter that has tvb-library")
    parser.add_argument("--study", type=Path, metavar="FOLDER", help="time explain of it, nothing else")
    options = parser.parse_args()
    if options.study:
        print_study(options.study)
        sys.exit()
    print_memory(200 if options.quick else 2000)
    chosen = load_reference()
    print_rates(chosen, 256 if options.quick else 2048, 2 if options.quick else 5, options.tvb)
    print()
    print_battery(chosen, 4 if options.quick else 19, 2 if options.quick else 5)
