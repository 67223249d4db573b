"""What a console sees of one camera now: a small picture and, in step with it, everything that was found in it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.decoding import letterbox
from actors.drawing import draw_lanes, draw_queue, draw_track
from actors.pipeline import AnalysedFrame, CameraPipeline, visible_tracks
from traffic.parameters.queue_shape import QueueOutline
from traffic.types import Box

_QUALITY = 75


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewedObject:
    """One object in a picture.

    Attributes:
        track_id: its track. name: its class in lower case. road_num: its lane, 0 for none.
        box: relative x1, y1, x2, y2. speed_kmh: None when not measured. moved: it is no parked or false object.
    """

    track_id: int
    name: str
    road_num: int
    box: tuple[float, float, float, float]
    speed_kmh: float | None
    moved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraView:
    """A picture and what was found in it.

    Attributes:
        sequence: of the frame; a view with the same number is the same view.
        time_s: video time. width, height: of the original frame, pixels.
        jpeg: the picture, shrunk; with overlays when asked for.
        lane_counts: vehicles by roadNum since the camera started.
        events: open ones as (id, recordType, relative box).
        learned_lanes: outlines (relative points) by roadNum of lanes that were learned, not drawn by somebody.
        queues: before stop lines, in this frame.
    """

    sequence: int
    time_s: float
    width: int
    height: int
    jpeg: bytes
    objects: tuple[ViewedObject, ...]
    lane_counts: tuple[tuple[int, int], ...]
    events: tuple[tuple[str, int, tuple[float, float, float, float]], ...] = ()
    learned_lanes: tuple[tuple[int, tuple[tuple[float, float], ...]], ...] = ()
    queues: tuple[QueueOutline, ...] = ()


def view_of(analysed: AnalysedFrame, pipeline: CameraPipeline, sequence: int, max_width: int, *, drawn: bool) -> CameraView:
    """The view of an analysed frame, at most ``max_width`` pixels wide; ``drawn``: with lanes, boxes and counts in it."""
    frame = analysed.frame
    image, _ = letterbox(frame, (max_width, 8 * max_width), max_enlargement=1.0)
    tracks = visible_tracks(analysed.tracks)
    queues = pipeline.queue_outlines(analysed.queues)
    if drawn:
        draw_lanes(image, pipeline.lanes, pipeline.counters.lane_counts)
        for queue in queues:
            draw_queue(image, queue)
        for track in tracks:
            draw_track(image, track, image.shape[1] / frame.width, pipeline.speed_kmh(track))
    scale = np.array([frame.width, frame.height] * 2)
    objects = []
    for track in tracks:
        objects.append(
            ViewedObject(
                track_id=track.track_id,
                name=track.object_class.name.lower(),
                road_num=pipeline.lane_of(track),
                box=_relative(track.box, scale),
                speed_kmh=pipeline.speed_kmh(track),
                moved=track.moved,
            )
        )
    learned = () if pipeline.has_scene_lanes else tuple((lane.road_num, lane.polygon) for lane in pipeline.lanes)
    return CameraView(
        sequence=sequence,
        time_s=frame.time_s,
        width=frame.width,
        height=frame.height,
        jpeg=_jpeg(image),
        objects=tuple(objects),
        lane_counts=tuple(sorted(pipeline.counters.lane_counts.items())),
        events=tuple((event.event_id, int(event.kind), _relative(event.box, scale)) for event in pipeline.open_events),
        learned_lanes=learned,
        queues=queues,
    )


def _relative(box: Box, scale: NDArray[np.int64]) -> Box:
    x1, y1, x2, y2 = (float(value) for value in np.asarray(box) / scale)
    return (x1, y1, x2, y2)


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(data)
