"""Two hemispheres of motor cortex under magnetic stimulation: parameters, simulation, protocols, measures.

In come circuits (`load_reference`, or a `Circuit` of your own) and pulses or a protocol; out come time
courses (`simulate`) and what a laboratory would measure (`run_experiment`). Read parameters, steppers,
readout, experiment.
"""

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.circuit.experiment import run_experiment
    from sudeck.circuit.parameters import Circuit
    from sudeck.circuit.reference import load_reference
    from sudeck.circuit.simulation import simulate

__all__ = ["Circuit", "load_reference", "run_experiment", "simulate"]

__getattr__, __dir__ = lazy_face(
    __name__,
    experiment="run_experiment",
    parameters="Circuit",
    reference="load_reference",
    simulation="simulate",
)
