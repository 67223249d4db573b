"""PicoDet as a torch module, built from its Paddle program: batch norms folded, only the wanted classes computed.

Input: uint8 (n, h, w, 3) RGB, h and w multiples of 32. Outputs: class scores float32 (n, classes, anchors), 0..1, and the
logits of the distance distributions float32 (n, anchors, 4 x 8): left, top, right, bottom from the anchor centre, each over
0..7 strides (``models.postprocess.expected_distances``). Anchors run over the strides 8, 16, 32, 64 row by row.
Source: PP-PicoDet (Yu et al., arXiv 2111.00902), generalised focal loss head (Li et al., arXiv 2006.04388).
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from torch import Tensor, nn

from models.errors import ModelFormatError
from models.folding import fold_batch_norms, fold_channel_biases, keep_channels, needed, split_single_outputs
from models.paddle import Operator, Program

STRIDES = (8, 16, 32, 64)
SIZE_MULTIPLE = 32
_SCORES, _DISTANCES = "concat_4.tmp_0", "concat_5.tmp_0"
_CLASSES = 80


class PicoDet(nn.Module):
    """The network.

    Args:
        program: the Paddle program with its weights.
        mean, std: of RGB values scaled to 0..1.
        class_ids: the label indices whose scores are computed, in this order.
    """

    def __init__(self, program: Program, mean: Sequence[float], std: Sequence[float], class_ids: Sequence[int]) -> None:
        super().__init__()
        operators = needed(program.operators, (_SCORES, _DISTANCES))
        if not operators:
            raise ModelFormatError("the program does not compute PicoDet's outputs")
        self._score_maps, self._logit_maps = _level_outputs(operators)
        operators = needed(operators, (*self._score_maps, *self._logit_maps))
        weights = {name: torch.from_numpy(value) for name, value in program.weights.items()}
        operators, weights = fold_batch_norms(operators, weights)
        operators = fold_channel_biases(operators, weights)
        weights = keep_channels(operators, weights, _CLASSES, class_ids)
        self._operators, weights = split_single_outputs(operators, weights)
        used = {name for operator in self._operators for names in operator.inputs.values() for name in names}
        self._names = {name: f"w{index}" for index, name in enumerate(sorted(used & set(weights)))}
        for name, key in self._names.items():
            self.register_buffer(key, weights[name])
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("scale", 1 / (torch.tensor(std).view(1, 3, 1, 1) * 255))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 (n, h, w, 3) RGB → scores (n, classes, anchors), distance logits (n, anchors, 32)."""
        mean, scale = self.get_buffer("mean"), self.get_buffer("scale")
        values: dict[str, Tensor] = {name: self.get_buffer(key) for name, key in self._names.items()}
        values["image"] = (image.permute(0, 3, 1, 2).to(mean.dtype) - mean) * scale
        for operator in self._operators:
            values[operator.output()] = _run(operator, values)
        scores = torch.cat([values[name].flatten(2) for name in self._score_maps], 2)
        logits = torch.cat([values[name].permute(0, 2, 3, 1).flatten(1, 2) for name in self._logit_maps], 1)
        return scores.float(), logits.float()


def _level_outputs(operators: Sequence[Operator]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the maps (n, channels, h, w) of each stride, before the program's own reshaping: scores, distance logits."""
    producers = {operator.output(): operator for operator in operators}

    def maps(concatenation: str, last: str) -> tuple[str, ...]:
        found = []
        for name in producers[concatenation].inputs["X"]:
            operator = producers[name]
            while operator.type != last:
                operator = producers[operator.inputs["X"][0]]
            found.append(operator.inputs["X"][0])
        return tuple(found)

    return maps(_SCORES, "reshape2"), maps(_DISTANCES, "transpose2")


def _run(operator: Operator, values: dict[str, Tensor]) -> Tensor:
    kind, attributes = operator.type, operator.attributes

    def given(slot: str) -> Tensor:
        return values[operator.inputs[slot][0]]

    if kind in ("conv2d", "depthwise_conv2d"):
        bias = given("FoldedBias") if "FoldedBias" in operator.inputs else None
        a = attributes
        return F.conv2d(given("Input"), given("Filter"), bias, a["strides"], a["paddings"], a["dilations"], a["groups"])  # type: ignore[call-overload, no-any-return]
    if kind in _ELEMENTWISE:
        first, second = given("X"), given("Y")
        if second.dim() == 1 and attributes["axis"] == 1:
            second = second.view(1, -1, 1, 1)
        return _ELEMENTWISE[kind](first, second)
    if kind == "concat":
        return torch.cat([values[name] for name in operator.inputs["X"]], int(str(attributes["axis"])))
    if kind == "scale":
        return given("X") * float(str(attributes["scale"])) + float(str(attributes["bias"]))
    if kind == "hard_sigmoid":
        return (given("X") * float(str(attributes["slope"])) + float(str(attributes["offset"]))).clamp(0, 1)
    if kind == "pool2d" and (attributes["adaptive"] or attributes["global_pooling"]):
        return given("X").mean((2, 3), keepdim=True)
    if kind in _UNARY:
        return _UNARY[kind](given("X"))
    raise ModelFormatError(f"operator {kind} is not supported")


_ELEMENTWISE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "elementwise_add": torch.add,
    "elementwise_mul": torch.mul,
    "elementwise_div": torch.div,
}
_UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "hard_swish": F.hardswish,
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "sqrt": torch.sqrt,
    "nearest_interp_v2": lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest"),
    "assign": lambda x: x,
    "dropout": lambda x: x,
}
