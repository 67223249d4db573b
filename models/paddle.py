"""Reader of Paddle's inference format: a ``.pdmodel`` program and its ``.pdiparams`` weights, without Paddle or protobuf.

``.pdmodel`` is protobuf wire format: ProgramDesc.blocks[0] holds variables (field 3) and operators (field 4).
``.pdiparams`` holds the persistable variables in sorted order of their names, each as: uint32 version, uint64 LoD levels,
uint32 version, int32 length of a TensorDesc message (type, dims), then the float32 data.
Facts from the public framework.proto and tensor serialisation of PaddlePaddle (Apache-2.0).
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelFormatError

Message = dict[int, list["int | bytes"]]
Attribute = "int | float | str | bool | list[int] | list[float] | None"
_FP32 = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Operator:
    """One operator: its type, named inputs and outputs (variable names) and attributes."""

    type: str
    inputs: dict[str, list[str]]
    outputs: dict[str, list[str]]
    attributes: dict[str, object]

    def output(self) -> str:
        """Name of the main output."""
        for key in ("Out", "Output", "Y"):
            if self.outputs.get(key):
                return self.outputs[key][0]
        raise ModelFormatError(f"operator {self.type} has no output")


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A network as operators in execution order and float32 weights by variable name."""

    operators: tuple[Operator, ...]
    weights: dict[str, NDArray[np.float32]]


def read_program(model: Path, parameters: Path) -> Program:
    """Read both files. Raises ModelFormatError when they do not parse or do not belong together."""
    try:
        block = _parse(_bytes(_parse(model.read_bytes())[1][0]))
        operators = tuple(_operator(_bytes(item)) for item in block[4])
        return Program(operators=operators, weights=_read_weights(block, parameters.read_bytes()))
    except (KeyError, IndexError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise ModelFormatError(f"{model.name}/{parameters.name}: not a Paddle inference model ({error})") from error


def _read_weights(block: Message, data: bytes) -> dict[str, NDArray[np.float32]]:
    variables = (_parse(_bytes(item)) for item in block[3])
    names = sorted(_text(v[1][0]) for v in variables if v.get(3, [0])[0] and v[1][0] not in (b"feed", b"fetch"))
    weights, position = {}, 0
    for name in names:
        (levels,) = struct.unpack_from("<Q", data, position + 4)
        if levels:
            raise ModelFormatError(f"{name}: LoD tensors are not supported")
        (length,) = struct.unpack_from("<i", data, position + 16)
        position += 20
        description = _parse(data[position : position + length])
        position += length
        shape = [int(d) for d in description.get(2, []) if isinstance(d, int)]
        if description[1][0] != _FP32:
            raise ModelFormatError(f"{name}: only float32 weights are supported")
        count = int(np.prod(shape))
        weights[name] = np.frombuffer(data, "<f4", count, position).reshape(shape).astype(np.float32)
        position += 4 * count
    if position != len(data):
        raise ModelFormatError(f"{len(data) - position} bytes left over after the last weight")
    return weights


def _operator(data: bytes) -> Operator:
    message = _parse(data)
    return Operator(
        type=_text(message[3][0]),
        inputs=_slots(message.get(1, [])),
        outputs=_slots(message.get(2, [])),
        attributes=dict(_attribute(_bytes(item)) for item in message.get(4, [])),
    )


def _slots(items: list[int | bytes]) -> dict[str, list[str]]:
    slots = {}
    for item in items:
        message = _parse(_bytes(item))
        slots[_text(message[1][0])] = [_text(name) for name in message.get(2, [])]
    return slots


def _attribute(data: bytes) -> tuple[str, object]:
    message = _parse(data)
    kind = message[2][0]
    value: object = None
    if kind == 0:
        value = _signed(message[3][0])
    elif kind == 1:
        value = struct.unpack("<f", _bytes(message[4][0]))[0]
    elif kind == 2:
        value = _text(message[5][0])
    elif kind == 3:
        value = [_signed(item) for item in message.get(6, [])]
    elif kind == 4:
        value = [struct.unpack("<f", _bytes(item))[0] for item in message.get(7, [])]
    elif kind == 6:
        value = bool(message[10][0])
    elif kind == 9:
        value = _signed(message[13][0])
    elif kind == 11:
        value = [_signed(item) for item in message.get(15, [])]
    return _text(message[1][0]), value


def _parse(data: bytes) -> Message:
    """Protobuf wire format → field number → values (int for varints, bytes for everything else)."""
    message: Message = {}
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        wire = key & 7
        value: int | bytes
        if wire == 0:
            value, position = _varint(data, position)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, position = data[position : position + size], position + size
        elif wire == 2:
            length, position = _varint(data, position)
            value, position = data[position : position + length], position + length
        else:
            raise ModelFormatError(f"protobuf wire type {wire}")
        message.setdefault(key >> 3, []).append(value)
    return message


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[position]
        position += 1
        result |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return result, position


def _signed(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ModelFormatError("integer expected")
    return value - (1 << 64) if value >> 63 else value


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise ModelFormatError("message expected")
    return value


def _text(value: int | bytes) -> str:
    return _bytes(value).decode()
