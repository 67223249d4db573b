"""What a detector, and the pixels, make of the stage of ``benchmarks.events``: noisy, sometimes missing, odd or false."""

import math
from collections.abc import Sequence

import numpy as np

from benchmarks.event_road import Array, Rng
from benchmarks.event_stage import Actor, Case
from traffic.events import PixelFinding
from traffic.types import Box, Detections, ObjectClass


def detect(case: Case, time_s: float, rng: Rng) -> tuple[Detections, list[tuple[Actor, Array]]]:
    """Boxes as a detector gives them: noisy, sometimes missing or odd, cut where something nearer hides the lower part."""
    shift = np.zeros(4)
    if case.shake:
        dx, dy = case.shake * math.sin(9.0 * time_s), case.shake * 0.7 * math.cos(7.3 * time_s)
        shift = np.array([dx, dy, dx, dy])
    seen: list[tuple[Actor, Array, float]] = []
    for actor in case.actors:
        if actor.place is None:
            continue
        box = case.camera.box(*actor.place, actor.size)
        if box is not None:
            seen.append((actor, box, actor.place[1]))
    seen.sort(key=lambda item: item[2])  # nearest first
    boxes, classes, scores, truth = [], [], [], []
    noise = case.noise
    for place, (actor, box, _) in enumerate(seen):
        hidden = max((_share(box, other) for _, other, _ in seen[:place]), default=0.0)
        truth.append((actor, box))
        if hidden > 0.75 or rng.random() < noise.missed + actor.hard_to_see + 0.4 * max(hidden - 0.3, 0):
            continue
        tall = box[3] - box[1]
        sigma = min(noise.sigma_px, 0.05 * tall + 0.4)
        noisy = box + rng.normal(0, sigma, 4)
        if hidden > 0.3 and rng.random() < 0.5:
            noisy[3] -= 0.5 * hidden * tall
        if rng.random() < noise.odd:
            noisy += rng.normal(0, 0.15 * tall, 4)
        extent = np.array([*case.camera.frame_size, *case.camera.frame_size], np.float64)
        noisy = np.where((box <= 0) | (box >= extent), box, np.clip(noisy, 0, extent)) + shift
        if noisy[2] - noisy[0] < 3 or noisy[3] - noisy[1] < 3:
            continue
        boxes.append(noisy)
        classes.append(_flip(actor.object_class, rng) if rng.random() < noise.flips else actor.object_class)
        scores.append(rng.uniform(0.55, 0.95) if tall > 25 else rng.uniform(0.35, 0.8))
    if rng.random() < noise.phantoms:
        width, height = case.camera.frame_size
        x, y, w = rng.uniform(0, width), rng.uniform(0.3 * height, height), rng.uniform(20, 90)
        boxes.append(np.array([x, y - 0.8 * w, x + w, y]))
        classes.append(ObjectClass.CAR)
        scores.append(rng.uniform(0.2, 0.5))
    if not boxes:
        return Detections.empty(), truth
    found = Detections(
        boxes=np.array(boxes, np.float32),
        scores=np.array(scores, np.float32),
        classes=np.array([int(c) for c in classes], np.int64),
    )
    return found, truth


def _share(box: Array, other: Array) -> float:
    """Share of ``box`` that ``other`` covers."""
    w, h = min(box[2], other[2]) - max(box[0], other[0]), min(box[3], other[3]) - max(box[1], other[1])
    return float(max(w, 0) * max(h, 0) / max((box[2] - box[0]) * (box[3] - box[1]), 1e-9))


def _flip(object_class: ObjectClass, rng: Rng) -> ObjectClass:
    if object_class in (ObjectClass.PERSON, ObjectClass.BICYCLE):
        return object_class
    return (ObjectClass.CAR, ObjectClass.TRUCK, ObjectClass.BUS)[int(rng.integers(3))]


def look(case: Case, time_s: float, truth: Sequence[tuple[Actor, Array]], rng: Rng) -> tuple[PixelFinding, ...]:
    """What the pixels say when they are looked at: props with misses, and false findings by chance."""
    found = []
    heads = {id(actor): box for actor, box in truth}
    for prop in case.props:
        if not prop.begin_s <= time_s < prop.end_s or rng.random() > prop.share:
            continue
        kind = prop.kind
        if prop.follows is not None:
            body = heads.get(id(prop.follows))
            if body is None:
                continue
            w, h = body[2] - body[0], body[3] - body[1]
            box: Box = (body[0] + 0.3 * w, body[1], body[0] + 0.7 * w, body[1] + 0.16 * h)
        else:
            w, h = prop.size_m
            points = case.camera.pixels(np.array([[prop.x - w / 2, prop.y, 0.0], [prop.x + w / 2, prop.y, h]]))
            box = (points[:, 0].min(), points[:, 1].min(), points[:, 0].max(), points[:, 1].max())
        jitter = rng.normal(0, min(1.5, 0.08 * (box[3] - box[1]) + 0.3), 4)
        box = tuple(float(v) for v in np.array(box) + jitter)  # type: ignore[assignment]
        found.append(PixelFinding(kind=kind, box=box, score=float(np.clip(rng.normal(prop.score, 0.08), 0.1, 1.0))))
    return tuple(found)
