import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.scan.limbs.limb_masks import find_limbs
from support.phantoms import synthetic


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    """Dice coefficient."""
    return 2 * float((found & truth).sum()) / float(found.sum() + truth.sum())


@pytest.mark.parametrize(("limb", "view"), [("hand", "palmar"), ("foot", "plantar"), ("foot", "anterior")])
@pytest.mark.parametrize("counts", [2_000, 60_000])
def test_both_limbs_are_found_at_few_and_many_counts(limb: str, view: str, counts: float) -> None:
    scan = synthetic(
        limb=limb, view=view, counts_per_limb=dict.fromkeys(("vascular", "tissue", "bone"), counts)
    )
    limbs = find_limbs(scan.counts["bone"].reshape(128, 128).astype(float))
    truth = scan.truth.phases["bone"].labels
    least = 0.85 if counts < 10_000 else 0.92
    for label in (1, 2):
        assert overlap(limbs.mask(label), truth == label) > least


def test_a_limb_is_as_large_on_coarse_pixels_as_on_fine_ones() -> None:
    areas = []
    for size in (64, 128, 256):
        pixel = 345.6 / size
        image = synthetic(4, matrix=size, spacing_mm=pixel).counts["tissue"].reshape(size, size).astype(float)
        areas.append(float(find_limbs(image, pixel_mm=pixel).mask(1).sum()) * pixel**2)
    assert max(areas) < 1.05 * min(areas)


def test_touching_feet_are_separated() -> None:
    scan = synthetic(limb="foot", view="plantar", gap_mm=0.0)
    limbs = find_limbs(scan.counts["tissue"].reshape(128, 128).astype(float))
    truth = scan.truth.phases["tissue"].labels
    for label in (1, 2):
        assert overlap(limbs.mask(label), truth == label) > 0.9


def test_the_real_touching_feet_are_separated(shared) -> None:
    pydicom = pytest.importorskip("pydicom")
    truth = np.load(shared / "scan/semireal/truth_masks.npz")["limb"]
    image = pydicom.dcmread(shared / "scan/semireal/04_delayed_static_300s.dcm").pixel_array.astype(float)
    limbs = find_limbs(image)
    for label in (1, 2):
        assert overlap(limbs.mask(label), truth == label) > 0.95


def test_a_hot_limb_is_not_found_larger() -> None:
    cold = synthetic(limb="hand", BPr=1.0, TPr=1.0, VPr=1.0)
    hot = synthetic(limb="hand", BPr=2.2, TPr=2.2, VPr=2.2)
    areas = []
    for scan in (cold, hot):
        limbs = find_limbs(scan.counts["bone"].reshape(128, 128).astype(float))
        label = 1 if scan.truth.image_left == "right" else 2
        areas.append(int(limbs.mask(label).sum()))
    assert areas[1] == pytest.approx(areas[0], rel=0.03)


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.zeros((64, 64)), "counts"),
        (np.full((64, 64), 5.0), "two limbs|no limbs|one limb"),
        (np.pad(np.full((40, 20), 9.0), ((12, 12), (22, 22))), "two limbs|one limb"),
    ],
)
def test_images_without_two_limbs_are_refused(image: np.ndarray, says: str) -> None:
    with pytest.raises(InputError, match=says):
        find_limbs(image)


def test_one_limb_of_two_is_refused() -> None:
    scan = synthetic(limb="hand")
    image = scan.counts["bone"].reshape(128, 128).astype(float)
    image[:, 64:] = 0
    with pytest.raises(InputError):
        find_limbs(image)


@pytest.mark.parametrize("variant", [0, 3])
def test_touching_thumbs_are_cut_at_their_contact(variant: int) -> None:
    scan = synthetic(1, limb="hand", gap_mm=0.0, variant=variant)
    limbs = find_limbs(scan.counts["bone"].reshape(128, 128).astype(float))
    truth = scan.truth.phases["bone"].labels
    for label in (1, 2):
        assert float((limbs.territory[truth == label] == label).mean()) > 0.995


@pytest.mark.parametrize(("limb", "view"), [("hand", "palmar"), ("foot", "plantar"), ("foot", "anterior")])
@pytest.mark.parametrize("quarters", [1, 3])
def test_an_image_turned_by_a_quarter_is_refused(limb: str, view: str, quarters: int) -> None:
    for phase in ("tissue", "bone"):
        image = synthetic(limb=limb, view=view).counts[phase].reshape(128, 128).astype(float)
        with pytest.raises(InputError, match=r"turned by 90 degrees|only one limb|cannot be found"):
            find_limbs(np.rot90(image, quarters))


def test_a_limb_alone_is_refused() -> None:
    image = synthetic(limb="hand", gap_mm=25.0).counts["bone"].reshape(128, 128).astype(float)
    middle = 48 + int(image.sum(axis=0)[48:80].argmin())
    image[:, :middle] = 0
    for shift in (0, -20, -40):
        with pytest.raises(InputError):
            find_limbs(np.roll(image, shift, axis=1))
