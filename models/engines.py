"""Inference engines for exported networks on the CPU. An engine maps a uint8 batch to the network's raw outputs.

An engine has ``streams``: so many threads may call ``run`` at once, each call computing on ``threads`` threads. One thread per
picture and several pictures at once gives the most pictures per second. Waiting is passive: two spinning pools on one core run
an order of magnitude slower than one thread.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import EngineUnavailableError

logger = logging.getLogger(__name__)
Arrays = list[NDArray[np.float32]]
ENGINE_NAMES = ("auto", "openvino", "openvino-f32", "onnxruntime", "torch", "torch-compile")


class Engine(Protocol):
    """Runs one network."""

    name: str

    def run(self, images: NDArray[np.uint8]) -> Arrays:
        """uint8 (n, h, w, 3) RGB → the network's outputs, batch first, valid until this thread's next call."""


class OpenVinoEngine:
    """OpenVINO on the CPU; ``precision`` bf16 needs AVX512-BF16 or AMX. Raises EngineUnavailableError."""

    def __init__(self, onnx: Path, threads: int, precision: str, streams: int = 1) -> None:
        try:
            import openvino as ov
        except ImportError as error:
            raise EngineUnavailableError(f"OpenVINO cannot be imported: {error}") from error
        self.name = f"openvino-{precision}"
        options = {
            "INFERENCE_NUM_THREADS": threads * streams,
            "NUM_STREAMS": streams,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision,
            "ENABLE_CPU_PINNING": False,
            "CACHE_DIR": str(onnx.parent / "openvino"),
        }
        try:
            core = ov.Core()
            self._model = core.compile_model(core.read_model(str(onnx)), "CPU", options)
            self.output_names = [output.get_any_name() for output in self._model.outputs]
        except Exception as error:
            # RuntimeError by its documentation, but its binding lets other types through.
            raise EngineUnavailableError(f"OpenVINO cannot load {onnx.name}: {_first_line(error)}") from error
        self._mine = threading.local()  # an inference request of each calling thread

    def run(self, images: NDArray[np.generic]) -> Arrays:
        """See Engine; the values are as the network's input wants them."""
        request = getattr(self._mine, "request", None)
        if request is None:
            request = self._mine.request = self._model.create_infer_request()
        # Not copied: the outputs are read before the next call, by the thread that calls.
        result = request.infer({0: images}, share_inputs=True, share_outputs=True)
        return [result[output] for output in self._model.outputs]


class OnnxRuntimeEngine:
    """ONNX Runtime on the CPU, or on a CUDA card where its CUDA provider is installed; any number of threads may call. Raises
    EngineUnavailableError."""

    def __init__(self, onnx: Path, threads: int, cuda_card: int | None = None) -> None:
        try:
            import onnxruntime as ort
        except ImportError as error:
            raise EngineUnavailableError(f"ONNX Runtime cannot be imported: {error}") from error
        self.name = "onnxruntime" if cuda_card is None else f"onnxruntime-cuda:{cuda_card}"
        on_card = [] if cuda_card is None else [("CUDAExecutionProvider", {"device_id": cuda_card})]
        try:
            options = ort.SessionOptions()
            options.intra_op_num_threads = threads
            options.inter_op_num_threads = 1
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            self.session = ort.InferenceSession(str(onnx), options, providers=[*on_card, "CPUExecutionProvider"])
        except Exception as error:
            # its exceptions (Fail, InvalidProtobuf, NoSuchFile…) have no base class of their own
            raise EngineUnavailableError(f"ONNX Runtime cannot load {onnx.name}: {_first_line(error)}") from error
        self._input = self.session.get_inputs()[0].name
        self.output_names = [output.name for output in self.session.get_outputs()]

    def run(self, images: NDArray[np.generic]) -> Arrays:
        """See Engine; the values are as the network's input wants them."""
        outputs: Arrays = self.session.run(None, {self._input: images})
        return outputs


class TorchEngine:
    """Torch on the CPU in float32; the slowest, but there wherever Wayside is. Any number of threads may call.

    ``compiled``: by torch.compile, which needs a C++ compiler and, at the first picture of a size, half a minute; to compare.
    """

    def __init__(self, module: Callable[[], object], threads: int, *, compiled: bool = False) -> None:
        import torch

        self.name = "torch-compile" if compiled else "torch-cpu"
        torch.set_num_threads(threads)
        network = module()
        assert isinstance(network, torch.nn.Module)
        network.eval()
        self._network: Callable[[torch.Tensor], Sequence[torch.Tensor]] = torch.compile(network) if compiled else network

    def run(self, images: NDArray[np.uint8]) -> Arrays:
        """See Engine."""
        import torch

        with torch.inference_mode():
            return [output.numpy() for output in self._network(torch.from_numpy(images))]


def cuda_available() -> bool:
    """Whether torch sees a CUDA device."""
    import torch

    return bool(torch.cuda.is_available())


def choose_device(device: str) -> str:
    """``cpu`` or a CUDA device for ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        EngineUnavailableError: CUDA was asked for where there is none, no such card, or an unknown word.
    """
    if device == "auto":
        return "cuda" if cuda_available() else "cpu"
    if device == "cpu":
        return device
    kind, _, index = device.partition(":")
    if kind != "cuda" or (index and not index.isdigit()):
        raise EngineUnavailableError(f"unknown device {device!r}; use auto, cpu, cuda or cuda:N")
    if not cuda_available():
        raise EngineUnavailableError(f"device {device} was asked for, but torch finds no CUDA GPU; use device auto or cpu")
    import torch

    if index and int(index) >= torch.cuda.device_count():
        raise EngineUnavailableError(f"device {device} was asked for, but there are {torch.cuda.device_count()} CUDA GPUs")
    return device


def cpu_has_fast_bf16() -> bool:
    """Whether the CPU multiplies bfloat16 natively (AVX512-BF16 or AMX), from the kernel's list of flags."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def make_engine(
    kind: str,
    threads: int,
    onnx: Callable[[], Path],
    module: Callable[[], object],
    accurate: Callable[[Engine, Path], bool],
    streams: int = 1,
) -> Engine:
    """Choose and load an engine for the CPU.

    Args:
        kind: ``auto``, ``openvino`` (bf16 where the CPU has it and ``accurate`` agrees), ``openvino-f32``, ``onnxruntime``,
            ``torch`` or ``torch-compile``.
        threads: CPU threads of one call. streams: calls that may run at once.
        onnx: makes (or finds) the exported network. module: makes the torch module.
        accurate: whether a reduced-precision engine of this exported network answers as full precision does.

    Raises:
        EngineUnavailableError: nothing of what was asked for runs here; the message names what failed.
    """

    def openvino() -> Engine:
        path = onnx()
        if cpu_has_fast_bf16():
            fast = OpenVinoEngine(path, threads, "bf16", streams)
            if accurate(fast, path):
                return fast
            logger.warning("bfloat16 is not accurate enough on this machine; using float32")
        return OpenVinoEngine(path, threads, "f32", streams)

    makers: dict[str, Callable[[], Engine]] = {
        "openvino": openvino,
        "openvino-f32": lambda: OpenVinoEngine(onnx(), threads, "f32", streams),
        "onnxruntime": lambda: OnnxRuntimeEngine(onnx(), threads),
        "torch": lambda: TorchEngine(module, threads),
        "torch-compile": lambda: TorchEngine(module, threads, compiled=True),
    }
    if kind not in ENGINE_NAMES:
        raise EngineUnavailableError(f"unknown engine {kind!r}; use {', '.join(ENGINE_NAMES)}")
    failures = []
    for name in ("openvino", "onnxruntime", "torch") if kind == "auto" else (kind,):
        try:
            return makers[name]()
        except (EngineUnavailableError, ImportError, RuntimeError) as error:  # a wheel missing here or refusing this CPU
            logger.warning("engine %s unavailable: %s", name, error)
            failures.append(f"{name}: {error}")
    raise EngineUnavailableError("no inference engine runs here: " + "; ".join(failures))


def export_onnx(
    module: Callable[[], object],
    input_size: tuple[int, int],
    target: Path,
    outputs: tuple[str, ...] = ("scores", "distances"),
) -> Path:
    """Export a torch module with uint8 input (batch free, size fixed) to ``target`` unless it exists; atomic."""
    if target.is_file():
        return target
    import torch

    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    width, height = input_size
    network = module()
    assert isinstance(network, torch.nn.Module)
    example = torch.zeros((1, height, width, 3), dtype=torch.uint8)
    torch.onnx.export(
        network.eval(),
        (example,),
        str(partial),
        input_names=["image"],
        output_names=list(outputs),
        dynamic_axes={name: {0: "n"} for name in ("image", *outputs)},
        dynamo=False,
    )
    partial.replace(target)
    return target


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
