"""What the two clinical papers print, in one place: Sudeck repeats these numbers, it never tunes them.

Source: Sorel M. et al., Clinical Journal of Pain 2018;34(9):831-837, doi 10.1097/AJP.0000000000000607,
abstract. The abstract gives neither the kind of correlation, nor the definition of a responder, nor the
sensitivity and specificity of the cut-offs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COHORT_SIZE: Final = 105
SOURCE: Final = "Sorel et al. 2018, doi 10.1097/AJP.0000000000000607"


@dataclass(frozen=True, slots=True)
class PublishedRatio:
    """One ratio of ratios as printed; `r` and `p` are text, because their rounding carries information.

    Attributes
    ----------
    name : str
        The ratio, as in `core.vocabulary.RATIOS_OF_RATIOS`.
    r, p : str
        Correlation with pain relief, and its P value.
    cutoff : float
        Relief is expected when the ratio is strictly greater.
    """

    name: str
    r: str
    p: str
    cutoff: float


PUBLISHED_RATIOS: Final[dict[str, PublishedRatio]] = {
    ratio.name: ratio
    for ratio in (
        PublishedRatio("BPr/TPr", r="0.32", p="0.009", cutoff=1.125),
        PublishedRatio("BPr/VPr", r="0.34", p="0.005", cutoff=1.075),
        PublishedRatio("TPr/VPr", r="0.23", p="0.02", cutoff=0.935),
    )
}
