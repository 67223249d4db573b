"""PicoDet as a torch module, built from its Paddle program with batch norms folded into the convolutions.

Input: uint8 (n, h, w, 3) RGB, h and w multiples of 32. Outputs: class scores float32 (n, classes, anchors), 0..1, and
distances (n, anchors, 4), left, top, right, bottom from the anchor centre in units of its stride; anchors run over the
strides 8, 16, 32, 64 row by row. Source: PP-PicoDet (Yu et al., arXiv 2111.00902), generalised focal loss head.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from torch import Tensor, nn

from models.errors import ModelFormatError
from models.paddle import Operator, Program

STRIDES = (8, 16, 32, 64)
SIZE_MULTIPLE = 32
_SCORES, _DISTANCES = "concat_4.tmp_0", "concat_5.tmp_0"


class PicoDet(nn.Module):
    """The network. ``class_ids`` picks and orders the label indices whose scores are returned."""

    def __init__(self, program: Program, mean: Sequence[float], std: Sequence[float], class_ids: Sequence[int]) -> None:
        super().__init__()
        operators = _needed(program.operators, (_SCORES, _DISTANCES))
        if not operators:
            raise ModelFormatError("the program does not compute PicoDet's outputs")
        self._operators, weights = _fold_batch_norms(operators, program)
        used = {name for operator in self._operators for names in operator.inputs.values() for name in names}
        self._names = {name: f"w{index}" for index, name in enumerate(sorted(used & set(weights)))}
        for name, key in self._names.items():
            self.register_buffer(key, weights[name])
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) * 255)
        self.register_buffer("scale", 1 / (torch.tensor(std).view(1, 3, 1, 1) * 255))
        self.register_buffer("class_ids", torch.tensor(list(class_ids)))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 (n, h, w, 3) RGB → scores (n, classes, anchors), distances (n, anchors, 4)."""
        mean, scale = self.get_buffer("mean"), self.get_buffer("scale")
        pixels = (image.permute(0, 3, 1, 2).to(mean.dtype) - mean) * scale
        values: dict[str, Tensor] = {name: self.get_buffer(key) for name, key in self._names.items()}
        values["image"] = pixels
        for operator in self._operators:
            values[operator.output()] = _run(operator, values, image.shape[0])
        scores = values[_SCORES].index_select(1, self.get_buffer("class_ids"))
        return scores.float(), values[_DISTANCES].float()


def _needed(operators: Sequence[Operator], outputs: Sequence[str]) -> list[Operator]:
    """The operators that ``outputs`` depend on, in execution order."""
    wanted, kept = set(outputs), []
    for operator in reversed(operators):
        if operator.type != "feed" and any(n in wanted for names in operator.outputs.values() for n in names):
            kept.append(operator)
            wanted |= {name for names in operator.inputs.values() for name in names}
    return kept[::-1]


def _fold_batch_norms(operators: list[Operator], program: Program) -> tuple[list[Operator], dict[str, Tensor]]:
    """Replace convolution + batch norm by a convolution with bias (the input ``FoldedBias``)."""
    weights = {name: torch.from_numpy(value) for name, value in program.weights.items()}
    readers: dict[str, int] = {}
    for operator in operators:
        for names in operator.inputs.values():
            for name in names:
                readers[name] = readers.get(name, 0) + 1
    producers = {operator.output(): index for index, operator in enumerate(operators)}
    result: list[Operator | None] = list(operators)
    for index, norm in enumerate(operators):
        source = norm.inputs["X"][0] if norm.type == "batch_norm" else ""
        at = producers.get(source)
        if at is None or readers[source] != 1 or operators[at].type not in ("conv2d", "depthwise_conv2d"):
            continue
        conv = operators[at]
        gain, shift, mean, variance = (weights[norm.inputs[key][0]] for key in ("Scale", "Bias", "Mean", "Variance"))
        factor = gain / torch.sqrt(variance + float(str(norm.attributes["epsilon"])))
        kernel, bias = f"{conv.inputs['Filter'][0]}@{index}", f"{source}@bias"
        weights[kernel] = weights[conv.inputs["Filter"][0]] * factor.view(-1, 1, 1, 1)
        weights[bias] = shift - mean * factor
        inputs = {"Input": conv.inputs["Input"], "Filter": [kernel], "FoldedBias": [bias]}
        result[at] = None
        result[index] = Operator(type="conv2d", inputs=inputs, outputs={"Output": [norm.output()]}, attributes=conv.attributes)
    return [operator for operator in result if operator is not None], weights


def _run(operator: Operator, values: dict[str, Tensor], batch: int) -> Tensor:
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
    if kind == "matmul_v2":
        return given("X") @ given("Y")
    if kind == "reshape2":
        return _reshape(given("X"), attributes["shape"], batch)  # type: ignore[arg-type]
    if kind == "scale":
        return given("X") * float(str(attributes["scale"])) + float(str(attributes["bias"]))
    if kind == "hard_sigmoid":
        return (given("X") * float(str(attributes["slope"])) + float(str(attributes["offset"]))).clamp(0, 1)
    if kind == "pool2d" and (attributes["adaptive"] or attributes["global_pooling"]):
        return given("X").mean((2, 3), keepdim=True)
    if kind == "transpose2":
        return given("X").permute(attributes["axis"])  # type: ignore[call-overload, no-any-return]
    if kind == "softmax":
        return given("X").softmax(int(str(attributes["axis"])))
    if kind in _UNARY:
        return _UNARY[kind](given("X"))
    raise ModelFormatError(f"operator {kind} is not supported")


def _reshape(value: Tensor, shape: list[int], batch: int) -> Tensor:
    """The program's reshapes carry the anchor count of its own input size; here any size goes."""
    if len(shape) == 3 and shape[2] == 4:
        return value.reshape(batch, -1, 4)
    if len(shape) == 3:
        return value.flatten(2)
    return value.reshape(shape)


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
