"""Overlays: what the analysis sees, drawn on a frame. For the eyes of operators and for annotated stills."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.decoding import frame_rgb
from actors.pipeline import AnalysedFrame, CameraPipeline, visible_tracks
from traffic.events.kinds import KIND_SLUGS
from traffic.facts import TrafficEvent
from traffic.parameters.queue_shape import QueueOutline
from traffic.scene import Lane
from traffic.types import ObjectClass, Track

Image = NDArray[np.uint8]
_COLOURS = {  # RGB
    ObjectClass.PERSON: (255, 140, 0),
    ObjectClass.BICYCLE: (255, 215, 0),
    ObjectClass.MOTORCYCLE: (255, 105, 180),
    ObjectClass.CAR: (0, 220, 90),
    ObjectClass.BUS: (0, 190, 255),
    ObjectClass.TRUCK: (170, 110, 255),
}
_LANE, _SNAPSHOT, _STOP = (80, 160, 255), (255, 230, 0), (255, 60, 60)
_EVENT, _QUEUE = (255, 40, 40), (255, 77, 157)


def annotated(frame: AnalysedFrame, pipeline: CameraPipeline, max_width: int) -> Image:
    """The frame as RGB (h, w, 3), at most ``max_width`` wide, with lanes, counts, boxes, ids and speeds."""
    image = np.ascontiguousarray(frame_rgb(frame.frame))
    scale = min(1.0, max_width / image.shape[1])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    draw_lanes(image, pipeline.lanes, pipeline.counters.lane_counts)
    for queue in pipeline.queue_outlines(frame.queues):
        draw_queue(image, queue)
    for track in visible_tracks(frame.tracks):
        draw_track(image, track, scale, pipeline.speed_kmh(track))
    for event in pipeline.open_events:
        draw_event(image, event, scale)
    return image


def annotated_jpeg(frame: AnalysedFrame, pipeline: CameraPipeline, max_width: int, quality: int = 80) -> bytes:
    """``annotated`` as JPEG."""
    image = annotated(frame, pipeline, max_width)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data)


def draw_lanes(image: Image, lanes: Sequence[Lane], counts: dict[int, int]) -> None:
    """Outlines, snapshot and stop lines, direction arrows, and each lane's number with its count."""
    size = np.array([image.shape[1], image.shape[0]])

    def pixels(points: Sequence[tuple[float, float]]) -> NDArray[np.int32]:
        return np.round(np.asarray(points) * size).astype(np.int32)

    for lane in lanes:
        cv2.polylines(image, [pixels(lane.polygon)], True, _LANE, 1, cv2.LINE_AA)
        for line, colour in ((lane.snapshot_line, _SNAPSHOT), (lane.stop_line, _STOP)):
            if line:
                a, b = pixels(line)
                cv2.line(image, tuple(map(int, a)), tuple(map(int, b)), colour, 2, cv2.LINE_AA)
        a, b = pixels(lane.direction)[-2:]
        cv2.arrowedLine(image, tuple(map(int, a)), tuple(map(int, b)), _LANE, 1, cv2.LINE_AA, tipLength=0.05)
        x, y = pixels(lane.snapshot_line).mean(axis=0).astype(int)
        _text(image, f"{lane.road_num}: {counts.get(lane.road_num, 0)}", (int(x) - 14, int(y) - 5), _SNAPSHOT)


def draw_queue(image: Image, queue: QueueOutline) -> None:
    """The part of a lane that its queue fills, with vehicles and metres at its rear."""
    size = np.array([image.shape[1], image.shape[0]])
    outline = np.round(np.asarray(queue.outline) * size).astype(np.int32)
    cv2.polylines(image, [outline], True, _QUEUE, 1, cv2.LINE_AA)
    a, b = np.round(np.asarray(queue.rear) * size).astype(int)
    cv2.line(image, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), _QUEUE, 3, cv2.LINE_AA)
    length = "" if queue.length_m is None else f" {queue.length_m:.0f}m"
    _text(image, f"queue {queue.number}{length}", (int(min(a[0], b[0])), int(min(a[1], b[1])) - 4), _QUEUE)


def draw_track(image: Image, track: Track, scale: float, speed_kmh: float | None) -> None:
    """Box, id and speed of one object."""
    x1, y1, x2, y2 = (round(value * scale) for value in track.box)
    colour = _COLOURS[track.object_class]
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, 1 if not track.moved else 2)
    speed = "" if speed_kmh is None else f" {speed_kmh:.0f}km/h"
    _text(image, f"{track.object_class.name.lower()} {track.track_id}{speed}", (x1, max(10, y1 - 3)), colour)


def draw_event(image: Image, event: TrafficEvent, scale: float) -> None:
    """Box and name of an open event."""
    x1, y1, x2, y2 = (round(value * scale) for value in event.box)
    cv2.rectangle(image, (x1 - 2, y1 - 2), (x2 + 2, y2 + 2), _EVENT, 3)
    name = f"{int(event.kind)} {KIND_SLUGS[event.kind].replace('_', ' ')}"
    _text(image, name, (max(0, x1 - 2), min(image.shape[0] - 4, y2 + 16)), _EVENT)


def _text(image: Image, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
