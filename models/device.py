"""PicoDet on an accelerator: batch building, network, decoding and suppression all on the device.

Half precision and channels-last on CUDA. Pixels go over in pinned memory on a stream of their own, so the next part of a batch
travels while the current one is computed; only the few boxes left after suppression come back. Everything here also runs on
``cpu`` (float32, no streams), which is how tests compare it with the numpy path.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.ops import batched_nms, box_iou

from models.handles import InputFit
from models.postprocess import FOUR_WHEELED, IOU_OTHER_CLASS, MAX_CANDIDATES, anchor_points
from traffic.types import Detections, ObjectClass

Image = NDArray[np.uint8]
_PADDING = 114
_PART = 8  # pictures that travel together while the part before them is computed


class DevicePicoDet:
    """PicoDet with everything around it on one device.

    Args:
        network: the torch module of ``models.picodet``, on the CPU in float32.
        classes: ObjectClass value of each score row of the network.
        input_size: (width, height) in pixels.
        strides: of the network's anchors.
        device: ``cuda``, ``cuda:N`` or ``cpu``.
        input_fit: how pictures are scaled to it.
        half: float16 instead of float32; None: on CUDA only.
    """

    def __init__(
        self,
        network: nn.Module,
        classes: NDArray[np.int64],
        input_size: tuple[int, int],
        strides: tuple[int, ...],
        device: str,
        *,
        input_fit: InputFit | None = None,
        half: bool | None = None,
    ) -> None:
        self.input_size = input_size
        self.input_fit = input_fit or InputFit()
        # Two batches at once: one thread builds and sends the next while the other waits for its boxes.
        self.streams, self.batches = 2, True
        self._device = torch.device(device)
        self._cuda = self._device.type == "cuda"
        self.dtype = torch.float16 if (self._cuda if half is None else half) else torch.float32
        self._network = network.eval().to(self._device, self.dtype).to(memory_format=torch.channels_last)
        self._classes = torch.from_numpy(classes).to(self._device)
        centres, sizes = anchor_points(*input_size, strides)
        self._centres, self._sizes = torch.from_numpy(centres).to(self._device), torch.from_numpy(sizes).to(self._device)
        self._copies = torch.cuda.Stream(self._device) if self._cuda else None
        self.engine_name = f"torch-{device}-{'fp16' if self.dtype is torch.float16 else 'fp32'}"

    def detect(self, images: Sequence[Image], threshold: float, iou_threshold: float) -> list[Detections]:
        """Detect in a batch.

        Args:
            images: uint8 (h, w, 3) RGB each, at most the input size. threshold: candidates below are dropped.
            iou_threshold: of suppression, see ``models.postprocess.suppress``.

        Returns:
            Detections per image, boxes in pixels of that image.
        """
        with torch.inference_mode(), torch.cuda.device(self._device) if self._cuda else nullcontext():
            parts = [images[start : start + _PART] for start in range(0, len(images), _PART)]
            coming = [self._send(parts[0])] if parts else []
            found: list[Callable[[], list[Detections]]] = []
            for index, part in enumerate(parts):
                if index + 1 < len(parts):
                    coming.append(self._send(parts[index + 1]))  # travels while this part is computed
                sizes = [(image.shape[1], image.shape[0]) for image in part]
                found.append(self._answer(self.boxes(coming[index](), sizes, threshold, iou_threshold), len(part)))
            return [item for answer in found for item in answer()]

    def boxes(
        self, batch: Tensor, sizes: Sequence[tuple[int, int]], threshold: float, iou_threshold: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Network, decoding and suppression of a batch on the device.

        Args:
            batch: uint8 (n, h, w, 3) of the input size. sizes: (width, height) of the used part of each picture.

        Returns:
            boxes (k, 4) clipped to their picture, scores (k,), ObjectClass values (k,), picture numbers (k,); per picture best
            score first.
        """
        scores, logits = self._network(batch)
        picture, boxes, best, classes = self._decode(scores, logits, threshold)
        kept = suppress(boxes, best, classes, picture, iou_threshold)
        boxes, best, classes, picture = boxes[kept], best[kept], classes[kept], picture[kept]
        limits = torch.tensor([[*size, *size] for size in sizes], dtype=boxes.dtype).to(self._device, non_blocking=True)
        boxes = torch.minimum(boxes.clamp(min=0), limits[picture])
        solid = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(1)
        return boxes[solid], best[solid], classes[solid], picture[solid]

    def _decode(self, scores: Tensor, logits: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Picture numbers, boxes, scores and classes of the candidates of all pictures."""
        best, index = scores.max(1)  # (n, anchors)
        top, anchor = best.topk(min(MAX_CANDIDATES, best.shape[1]), dim=1)
        picture, rank = (top >= threshold).nonzero(as_tuple=True)
        anchor = anchor[picture, rank]
        bins = logits[picture, anchor].float().view(len(anchor), 4, logits.shape[2] // 4).softmax(2)
        steps = torch.arange(bins.shape[2], dtype=torch.float32, device=bins.device)
        reach = (bins @ steps) * self._sizes[anchor]
        points = self._centres[anchor]
        boxes = torch.cat([points - reach[:, :2], points + reach[:, 2:]], 1)
        return picture, boxes, top[picture, rank].float(), self._classes[index[picture, anchor]]

    def _send(self, images: Sequence[Image]) -> Callable[[], Tensor]:
        """Start moving a part to the device; the returned call waits for it in the computing stream, not on the host."""
        with self._on(self._copies):
            batch = letterbox_batch([self._over(image) for image in images], self.input_size)
        if self._copies is None:
            return lambda: batch
        arrived = self._copies.record_event()

        def ready() -> Tensor:
            current = torch.cuda.current_stream(self._device)
            current.wait_event(arrived)
            batch.record_stream(current)  # its memory belongs to the copying stream: not to be reused before we are done
            return batch

        return ready

    def _over(self, image: Image) -> Tensor:
        pixels = torch.from_numpy(np.ascontiguousarray(image))
        return pixels.pin_memory().to(self._device, non_blocking=True) if self._cuda else pixels

    def _answer(self, found: tuple[Tensor, ...], pictures: int) -> Callable[[], list[Detections]]:
        """Start bringing boxes home; the returned call waits for them and sorts them by picture."""
        home = [item.to("cpu", non_blocking=self._cuda) for item in found]
        done = torch.cuda.current_stream(self._device).record_event() if self._cuda else None

        def answer() -> list[Detections]:
            if done is not None:
                done.synchronize()
            boxes, scores, classes, picture = (item.numpy() for item in home)
            rows = [np.flatnonzero(picture == number) for number in range(pictures)]
            return [Detections(boxes=boxes[row], scores=scores[row], classes=classes[row]) for row in rows]

        return answer

    def _on(self, stream: "torch.cuda.Stream | None") -> AbstractContextManager[object]:
        return nullcontext() if stream is None else torch.cuda.stream(stream)


def letterbox_batch(images: Sequence[Tensor], input_size: tuple[int, int]) -> Tensor:
    """Pictures of any size as one batch on their device: larger ones shrunk as a whole, all padded right and below.

    Args:
        images: uint8 (h, w, 3) each, on one device. input_size: (width, height) in pixels.

    Returns:
        uint8 (n, height, width, 3), padding 114. A picture that fits is not touched; a larger one fits with its aspect ratio
        kept (antialiased bilinear), its scale being min(width / w, height / h).
    """
    width, height = input_size
    batch = torch.full((len(images), height, width, 3), _PADDING, dtype=torch.uint8, device=images[0].device)
    for row, image in enumerate(images):
        fitted = image
        if image.shape[0] > height or image.shape[1] > width:
            scale = min(width / image.shape[1], height / image.shape[0])
            size = (max(1, min(height, round(image.shape[0] * scale))), max(1, min(width, round(image.shape[1] * scale))))
            planes = image.permute(2, 0, 1)[None].float()
            small = F.interpolate(planes, size, mode="bilinear", align_corners=False, antialias=True)
            fitted = small[0].round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0)
        batch[row, : fitted.shape[0], : fitted.shape[1]] = fitted
    return batch


def suppress(boxes: Tensor, scores: Tensor, classes: Tensor, picture: Tensor, iou_threshold: float) -> Tensor:
    """``models.postprocess.suppress`` for the boxes of many pictures at once, on their device.

    Args:
        boxes: (k, 4). scores: (k,). classes: (k,) ObjectClass values. picture: (k,) number of the picture of each box.

    Returns:
        kept indices, best score first.
    """
    four = torch.tensor([int(item) for item in FOUR_WHEELED], device=classes.device)
    groups = torch.where(torch.isin(classes, four), int(ObjectClass.CAR), classes) + picture * (max(ObjectClass) + 1)
    kept = batched_nms(boxes, scores, groups, iou_threshold)
    rivals = (groups[kept][:, None] == groups[kept]) & (classes[kept][:, None] != classes[kept])
    rivals &= box_iou(boxes[kept], boxes[kept]) > IOU_OTHER_CLASS
    rivals = rivals.triu(1)
    # Greedy suppression as a fixed point: each round settles at least one more rank, and chains of rivals are short.
    alive = torch.ones(len(kept), dtype=torch.bool, device=boxes.device)
    while True:
        settled = ~(rivals & alive[:, None]).any(0)
        if torch.equal(settled, alive):
            return kept[alive]
        alive = settled
