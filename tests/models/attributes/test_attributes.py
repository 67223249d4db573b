"""Type, colour and weather from pictures: batches, votes, weights, errors. Networks are small substitutes or the real ones."""

from pathlib import Path

import numpy as np
import pytest

from models.attributes.forms import FormHead
from models.attributes.imagenet import FORM_CLASSES, SPECIAL_CLASSES, form_evidence, special_type
from models.attributes.network import OnnxColorNetwork
from models.attributes.reader import AttributeReader, is_dark
from models.attributes.weather import CUES, WeatherHead, cues
from models.backbone import Backbone
from models.errors import ModelError, ModelFormatError
from models.handles import VehicleContext
from models.store import WeightsStore
from traffic.facts import Heading
from traffic.types import ObjectClass
from traffic.vehicle_codes import VehicleColor, VehicleType
from traffic.vehicle_types import Form

CAR = VehicleContext(object_class=ObjectClass.CAR, heading=Heading.FRONT)


class FakeBackbone:
    """Logits that shout one ImageNet class, features of zeros; remembers batch sizes."""

    engine_name = "fake"

    def __init__(self, index: int) -> None:
        self._index, self.batches = index, []  # type: ignore[var-annotated]

    def extract(self, images: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        self.batches.append(len(images))
        logits = np.zeros((len(images), 1000), np.float32)
        logits[:, self._index] = 30
        return logits, np.zeros((len(images), 1280), np.float32)


def reader(backbone: FakeBackbone) -> AttributeReader:
    return AttributeReader(backbone, OnnxColorNetwork(), FormHead(), WeatherHead())


def painted(rgb: tuple[int, int, int]) -> np.ndarray:
    """A crude car: a body of one paint with dark glass on a grey road."""
    crop = np.full((80, 100, 3), 110, np.uint8)
    crop[12:70, 12:88] = rgb
    crop[18:34, 24:76] = (35, 40, 45)
    crop[64:74, 18:34] = crop[64:74, 66:82] = 20
    return crop


def test_vehicles_of_a_batch_get_their_own_looks_and_two_crops_go_through_the_backbone() -> None:
    backbone = FakeBackbone(555)  # a fire engine
    red, blue = painted((190, 20, 20)), painted((25, 50, 170))
    bicycle = VehicleContext(object_class=ObjectClass.BICYCLE, heading=Heading.FRONT)
    found = reader(backbone).read([([red] * 3, CAR), ([blue], bicycle), ([blue], CAR)])
    assert backbone.batches == [3]
    assert [item.vehicle_type for item in found] == [VehicleType.FIRE_ENGINE, 0, VehicleType.FIRE_ENGINE]
    assert [item.vehicle_color for item in found] == [VehicleColor.RED, VehicleColor.BLUE, VehicleColor.BLUE]
    assert all(0 <= item.vehicle_type_confidence <= 1 for item in found)


def test_no_vehicle_and_no_crop_are_answered() -> None:
    assert reader(FakeBackbone(0)).read([]) == []
    assert reader(FakeBackbone(0)).read([([], CAR)])[0].vehicle_color == 255


def test_a_crop_of_the_night_has_no_colour() -> None:
    dark = (painted((190, 20, 20)) * 0.12).astype(np.uint8)
    assert is_dark(dark)
    assert reader(FakeBackbone(0)).read([([dark], CAR)])[0].vehicle_color == 255
    assert not is_dark(painted((15, 15, 18))), "a black car by day is no night"


def test_the_table_of_classes_names_every_form_once_and_evidence_adds_up() -> None:
    assert set(FORM_CLASSES) == set(Form)
    logits = np.zeros((2, 1000), np.float32)
    logits[0, 867] = 20
    evidence = form_evidence(logits)
    assert evidence.sum(axis=1) == pytest.approx([1, 1])
    assert Form(int(evidence[0].argmax())) is Form.TRAILER
    assert special_type(logits[:1]) is None
    assert all(0 < int(code) <= 28 for code in SPECIAL_CLASSES)


@pytest.mark.parametrize("make", [FormHead, WeatherHead])
def test_damaged_weights_are_a_clear_error(make: type, tmp_path: Path) -> None:
    bad = tmp_path / "weights.npz"
    with pytest.raises(ModelFormatError, match=r"weights\.npz"):
        make(bad)
    bad.write_bytes(b"damaged")
    with pytest.raises(ModelFormatError):
        make(bad)
    parts = {"centre": np.zeros(2), "basis": np.zeros((2, 1))}
    np.savez(bad, mean=np.zeros(3), scale=np.ones(3), weight=np.zeros((3, 2)), bias=np.zeros(2), **parts)
    with pytest.raises(ModelFormatError, match="shape"):
        make(bad)


def test_fog_lifts_the_dark_channel_and_lowers_contrast() -> None:
    rng = np.random.default_rng(0)
    clear = np.kron(rng.integers(0, 255, (18, 32, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    foggy = (clear * 0.3 + 190 * 0.7).astype(np.uint8)
    a, b = cues(clear), cues(foggy)
    assert a.shape == (CUES,)
    assert (b[:3] > a[:3]).all()
    assert (b[3:6] < a[3:6]).all()


def test_a_detector_is_no_backbone(tmp_path: Path) -> None:
    with pytest.raises(ModelFormatError, match="no backbone"):
        Backbone("picodet-s", WeightsStore(tmp_path))


@pytest.fixture(scope="module")
def backbone_store() -> WeightsStore:
    import os

    store = WeightsStore(Path(os.environ.get("WAYSIDE_MODELS_DIR", "~/.cache/wayside/models")).expanduser())
    try:
        store.verify("efficientnet-lite0")
    except ModelError as error:
        pytest.skip(str(error))
    return store


def test_engines_of_the_backbone_agree(backbone_store: WeightsStore) -> None:
    picture = painted((190, 20, 20))
    found = [
        Backbone("efficientnet-lite0", backbone_store, engine=name).extract([picture])[1] for name in ("openvino-f32", "torch")
    ]
    assert np.abs(found[0] - found[1]).max() < 2e-3


def test_folding_of_the_backbone_changes_nothing_but_rounding(backbone_store: WeightsStore) -> None:
    """One block by its published operators against the folded one."""
    import torch
    import torch.nn.functional as F  # noqa: N812

    from models.efficientnet import load_efficientnet

    path = backbone_store.path("efficientnet-lite0", "efficientnet-lite0.pth")
    state = torch.load(path, weights_only=True)
    network = load_efficientnet(path, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)).eval()
    x = torch.rand(1, 3, 32, 32)
    plain = F.conv2d(F.pad(x, [0, 1, 0, 1]), state["_conv_stem.weight"], None, 2)
    names = ("running_mean", "running_var", "weight", "bias")
    mean, variance, gain, shift = (state[f"_bn0.{name}"] for name in names)
    expected = F.relu6(F.batch_norm(plain, mean, variance, gain, shift, False, 0, 1e-3))
    assert (network.stem(x) - expected).abs().max() < 1e-4


def test_other_weights_are_refused(tmp_path: Path) -> None:
    import torch

    from models.efficientnet import load_efficientnet

    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ModelFormatError, match="missing"):
        load_efficientnet(tmp_path / "other.pth", (0, 0, 0), (1, 1, 1))
    (tmp_path / "noise.pth").write_bytes(b"noise")
    with pytest.raises(ModelFormatError):
        load_efficientnet(tmp_path / "noise.pth", (0, 0, 0), (1, 1, 1))
