"""What the circuit does not fit: time constants, delays, the shape of a pulse, the magnesium gate."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sudeck.circuit.parameters import Floats

# Order of the populations in every array with a population axis.
POPULATIONS: Final = ("E", "P", "A", "B")
E, P, A, B = range(4)

MEMBRANE_MS: Final = 1.0  # effective constant of cells bombarded by synapses; assumed
RECOVERY_MS: Final = 1.2  # refractoriness: leaves volleys (I-waves) about 1.5 ms apart; assumed
RELEASE_EFFICACY: Final = 0.9  # share of ready cells that a full unit of drive sets off is 1 - exp(-0.9)
# Depressed terminals recover with this constant: of the size Tsodyks and Markram 1997 (PNAS 94:719-723)
# found between pyramidal cells and Campagnola 2022 (Science 375:eabj5861) in human cortex; assumed.
# Multipolar interneurons get depressing input too (Reyes 1998, Nature Neuroscience 1:279-285).
DEPRESSION_RECOVERY_MS: Final = 300.0
PULSE_MS: Final = 0.5  # spread of the first spikes after a pulse; assumed

# Conduction and synaptic delays; E as far as its neighbours, both interneurons, and through the callosum.
# The callosal one leaves early interhemispheric inhibition at 8 to 10 ms (Ferbert 1992): cells of E mostly
# cross once they are excited by others, so three synapses lie on the way.
DELAY_E_MS: Final = 0.8
DELAY_INTERNEURON_MS: Final = 1.9
DELAY_CALLOSUM_MS: Final = 3.0

REST_MV: Final = -70.0  # membrane potential from which post-synaptic potentials are counted; assumed


class Kernel(NamedTuple):
    """A post-synaptic potential of two exponentials with a peak of one for one spike of every cell."""

    rise_ms: float
    decay_ms: float

    @property
    def peak(self) -> float:
        """Peak of ``exp(-t/decay) - exp(-t/rise)``, by which the kernel is divided."""
        ratio = self.rise_ms / self.decay_ms
        exponent = ratio / (1 - ratio)
        return float(ratio**exponent - ratio ** (exponent / ratio))

    @property
    def area_ms(self) -> float:
        """Time integral of the kernel: what one spike of every cell adds to a steady state.

        Examples
        --------
        >>> round(Kernel(1.0, 6.0).area_ms, 3)
        8.586
        """
        return (self.decay_ms - self.rise_ms) / self.peak


# Rise and decay of the usual size for cortex near body temperature (rounded; the measures hardly depend on
# the fast rises). GABA-B peaks after about 45 ms.
AMPA: Final = Kernel(0.4, 3.0)
NMDA: Final = Kernel(9.0, 26.0)
GABA_A: Final = Kernel(0.3, 3.0)
GABA_B: Final = Kernel(28.0, 71.0)
MOTONEURON: Final = Kernel(1.0, 6.0)

# Jahr and Stevens 1990, Journal of Neuroscience 10:3178-3182, at 1 mM magnesium.
MAGNESIUM_PER_MV: Final = 0.062
MAGNESIUM_AT_REST: Final = float(np.exp(-MAGNESIUM_PER_MV * REST_MV)) / 3.57


def magnesium_gate(potential_mv: Floats) -> Floats:
    """Return how far NMDA channels are open, relative to the potential at rest.

    Parameters
    ----------
    potential_mv : array
        Post-synaptic potential above rest.

    Examples
    --------
    >>> round(float(magnesium_gate(np.array(10.0))), 2)
    1.79
    """
    blocked = MAGNESIUM_AT_REST * np.exp(-MAGNESIUM_PER_MV * potential_mv)
    return np.asarray((1 + MAGNESIUM_AT_REST) / (1 + blocked))
