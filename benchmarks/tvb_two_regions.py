"""Two regions with a delay in The Virtual Brain: simulations a second, in a Python of its own.

Run with ``PYTHON tvb_two_regions.py`` where PYTHON has tvb-library (GPL-3.0), which Sudeck never imports.
"""

import json
import time

import numpy as np
from tvb.datatypes import connectivity
from tvb.simulator import coupling, integrators, monitors, simulator
from tvb.simulator.models import JansenRit


def build() -> simulator.Simulator:
    """Return two cortical columns of six states each, 4.5 ms apart, at 0.1 ms."""
    wires = connectivity.Connectivity(
        weights=np.array([[0.0, 1.0], [1.0, 0.0]]),
        tract_lengths=np.array([[0.0, 13.5], [13.5, 0.0]]),
        region_labels=np.array(["left", "right"]),
        centres=np.zeros((2, 3)),
        speed=np.array([3.0]),
    )
    wires.configure()
    made = simulator.Simulator(
        model=JansenRit(),
        connectivity=wires,
        coupling=coupling.SigmoidalJansenRit(),
        integrator=integrators.HeunDeterministic(dt=0.1),
        monitors=(monitors.Raw(),),
        simulation_length=400.0,
    )
    made.configure()
    return made


if __name__ == "__main__":
    build().run()  # compiles
    wall, processor, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - wall < 10:
        build().run()
        done += 1
    print(json.dumps([done / (time.perf_counter() - wall), done / (time.process_time() - processor)]))
