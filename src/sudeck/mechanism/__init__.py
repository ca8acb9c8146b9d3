"""Why it works: changes, associations, the published pattern and a two-hemisphere circuit. Knows no files.

In comes a table of measures by patient, visit and hemisphere; out come the statistics of the group
(`explain_group`), what one patient's measures say of synapses (`fit_patient`), and what those of all patients
say together (`infer_group`). Read measure_table, changes, association, published_pattern,
group_statistics, then circuit_fit.
"""

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.mechanism.circuit_fit.hierarchy import infer_group
    from sudeck.mechanism.circuit_fit.patient_fit import fit_patient
    from sudeck.mechanism.group_statistics import explain_group

__all__ = ["explain_group", "fit_patient", "infer_group"]

__getattr__, __dir__ = lazy_face(
    __name__,
    circuit_fit__hierarchy="infer_group",
    circuit_fit__patient_fit="fit_patient",
    group_statistics="explain_group",
)
