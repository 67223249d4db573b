"""Type and colour of vehicles, and the weather of scenes, from pictures: the networks and the rules of ``traffic`` together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.attributes.forms import FormHead
from models.attributes.imagenet import form_evidence, special_type
from models.attributes.network import ColorNetwork, OnnxColorNetwork
from models.attributes.weather import WeatherHead
from models.backbone import DEFAULT_BACKBONE, Backbone, Features
from models.handles import Attributes, VehicleContext
from models.store import WeightsStore
from traffic.types import ObjectClass
from traffic.vehicle_colors import decide_color
from traffic.vehicle_types import FORMS, decide_type, form_shares

Image = NDArray[np.uint8]
# How much each source of forms counts, as exponents; chosen on the tuning half of our labels (docs/benchmarks.md).
_HEAD_WEIGHT, _IMAGENET_WEIGHT = 0.7, 0.8
_MAX_TYPE_CROPS = 2  # of one vehicle that go through the backbone: the third costs as much and changes little
_TYPED = frozenset({ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK})
_DARK_LEVEL = 40.0  # mean grey value under which colours are noise
_LAMP_SHARE, _LAMP_LEVEL = 0.5, 60.0


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a vehicle's crops lie in a batch."""

    start: int
    end: int
    typed: slice


class AttributeReader:
    """Reads looks and weather.

    Args:
        backbone: ImageNet features. network: colours. forms, weather: the heads on the backbone's features.
    """

    def __init__(self, backbone: Features, network: ColorNetwork, forms: FormHead, weather: WeatherHead) -> None:
        self._backbone, self._network, self._forms, self._weather = backbone, network, forms, weather

    @property
    def engine_name(self) -> str:
        """The backbone's engine."""
        return self._backbone.engine_name

    def read(self, vehicles: Sequence[tuple[Sequence[Image], VehicleContext]]) -> list[Attributes]:
        """Looks of several vehicles, each from its crops, best first, uint8 (h, w, 3) RGB."""
        crops = [crop for images, _ in vehicles for crop in images]
        if not crops:
            return [Attributes() for _ in vehicles]
        colors = self._network.run(crops)
        spans, picked = _spans(vehicles)
        logits, forms = np.zeros((0, 1000), np.float32), np.zeros((0, FORMS))
        if picked:
            logits, features = self._backbone.extract([crops[index] for index in picked])
            forms = self._forms.run(features)
        return [
            self._decide(images, context, colors[span.start : span.end], forms[span.typed], logits[span.typed])
            for (images, context), span in zip(vehicles, spans, strict=True)
        ]

    def weather(self, pictures: Sequence[Image]) -> NDArray[np.float64]:
        """Probabilities (n, 4) of sunny, fog, rain and snow of small pictures, uint8 (h, w, 3) RGB."""
        return self._weather.run(pictures, self._backbone.extract(pictures)[1])

    def _decide(
        self,
        images: Sequence[Image],
        context: VehicleContext,
        colors: NDArray[np.float64],
        forms: NDArray[np.float64],
        logits: NDArray[np.float32],
    ) -> Attributes:
        color, color_share = decide_color(list(colors), [is_dark(image) for image in images]) if len(images) else (255, 0.0)
        type_code, type_share = 0, 0.0
        if len(logits):
            special = special_type(logits)
            if special is not None:
                type_code, type_share = int(special[0]), special[1]
            else:
                seen = forms**_HEAD_WEIGHT * form_evidence(logits) ** _IMAGENET_WEIGHT
                shares = form_shares(list(seen), context.object_class, context.length_m)
                code, type_share = decide_type(shares, context.object_class, context.length_m)
                type_code = int(code)
        return Attributes(
            vehicle_type=type_code,
            vehicle_type_confidence=type_share,
            vehicle_color=int(color),
            vehicle_color_confidence=color_share,
        )


def is_dark(image: Image) -> bool:
    """Whether a crop's colours mean nothing: too little light, or a dark picture that only lamps light up."""
    grey = image.astype(np.float32).mean(axis=2)
    if float(grey.mean()) < _DARK_LEVEL:
        return True
    return (
        float((grey < _LAMP_LEVEL).mean()) > _LAMP_SHARE and float(np.percentile(grey, 97)) > 235 and float(np.median(grey)) < 35
    )


def _spans(vehicles: Sequence[tuple[Sequence[Image], VehicleContext]]) -> tuple[list[_Span], list[int]]:
    spans: list[_Span] = []
    picked: list[int] = []
    start = 0
    for images, context in vehicles:
        typed = min(len(images), _MAX_TYPE_CROPS) if context.object_class in _TYPED else 0
        spans.append(_Span(start, start + len(images), slice(len(picked), len(picked) + typed)))
        picked += range(start, start + typed)
        start += len(images)
    return spans, picked


def load_attribute_reader(
    store: WeightsStore, *, engine: str = "auto", device: str = "auto", threads: int = 1, backbone: str = DEFAULT_BACKBONE
) -> AttributeReader:
    """The reader with its networks. Raises ModelError: missing or damaged weights, no engine."""
    features = Backbone(backbone, store, engine=engine, device=device, threads=threads)
    return AttributeReader(features, OnnxColorNetwork(threads), FormHead(), WeatherHead())
