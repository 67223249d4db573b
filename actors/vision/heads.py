"""Safety helmets by colour: what covers the top of a person's head.

A safety helmet is a smooth cap of one strong colour (yellow, red, orange, blue, green) or bright white; hair is dark, or of the
colours of skin and straw. Everything between (caps, hoods, hair that shines, small or hidden heads) is unknown.
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.decoding import DecodedFrame
from actors.decoding.regions import cut, even_rectangle, stored_picture, stored_rectangle, to_array, turned
from actors.vision.config import VisionConfig
from traffic.events.observations import PixelFinding, PixelFindingKind
from traffic.scene import Scene
from traffic.types import Box, ObjectClass, Track, TrackState

_MAX_PEOPLE = 8
# Head height (chin to crown) is 1/7.5 of the stature (Drillis and Contini, 1966: 0.130 H); a helmet adds about 3 cm.
_HEAD_SHARE = 0.145
_SIZE = 24  # pixels of the normalised head


def people_to_judge(tracks: Sequence[Track], scene: Scene | None, frame_size: tuple[int, int]) -> list[Track]:
    """People of sufficient confidence whose feet are in a region of kind ``helmet``; the largest first."""
    regions = [] if scene is None else [r for r in scene.regions if r.kind == "helmet"]
    if not regions:
        return []
    polygons = [(np.array(r.polygon, np.float32) * frame_size).astype(np.float32) for r in regions]

    def inside(track: Track) -> bool:
        foot = ((track.box[0] + track.box[2]) / 2, track.box[3])
        return any(cv2.pointPolygonTest(polygon, foot, False) >= 0 for polygon in polygons)

    people = [t for t in tracks if t.state is TrackState.CONFIRMED and t.object_class is ObjectClass.PERSON and t.score > 0.4]
    people = [t for t in people if inside(t)]
    people.sort(key=lambda t: t.box[1] - t.box[3])
    return people[:_MAX_PEOPLE]


def judge_heads(
    frame: DecodedFrame, people: Iterable[Track], others: Sequence[Track], config: VisionConfig
) -> list[PixelFinding]:
    """HELMET or BARE_HEAD for every person where it can be told; boxes of the heads in pixels of the frame."""
    found = []
    for person in people:
        box = person.detection or person.box
        height = box[3] - box[1]
        side = height * _HEAD_SHARE
        if side < config.min_head_px or box[2] - box[0] > 0.9 * height or box[1] <= 1:
            continue  # too small, not upright, or the head is outside the picture
        if any(_hides(other, person) for other in others):
            continue
        image = _upper_part(frame, box)
        if image is None:
            continue
        verdict = head_verdict(image)
        if verdict is None:
            continue
        kind, score, (x, y, w, h) = verdict
        found.append(
            PixelFinding(
                kind=kind,
                box=(
                    box[0] + x * (box[2] - box[0]),
                    box[1] + y * height,
                    box[0] + (x + w) * (box[2] - box[0]),
                    box[1] + (y + h) * height,
                ),
                score=round(score, 3),
                track_id=person.track_id,
            )
        )
    return found


def _hides(other: Track, person: Track) -> bool:
    """Whether another object reaches over the person's head and stands nearer."""
    if other.track_id == person.track_id or other.state is TrackState.DELETED or other.box[3] <= person.box[3]:
        return False
    x1, y1, x2, y2 = person.box
    head = (x1 + 0.3 * (x2 - x1), y1, x2 - 0.3 * (x2 - x1), y1 + 0.15 * (y2 - y1))
    b = other.box
    return b[0] < head[2] and b[2] > head[0] and b[1] < head[3] and b[3] > head[1]


def _upper_part(frame: DecodedFrame, box: Box) -> NDArray[np.uint8] | None:
    """The upper quarter of a person's box with a little room above, uint8 (h, w, 3) BGR."""
    stored, rotation = stored_picture(frame)
    x1, y1, x2, y2 = box
    top, bottom = y1, y1 + 0.25 * (y2 - y1)
    rectangle = (max(0, int(x1)), max(0, int(top)), min(frame.width, int(x2) + 1), min(frame.height, int(bottom) + 1))
    if rectangle[2] - rectangle[0] < 8 or rectangle[3] - rectangle[1] < 8:
        return None
    region = even_rectangle(stored_rectangle(rectangle, (stored.width, stored.height), rotation), (stored.width, stored.height))
    return turned(to_array(cut(stored, region), "bgr24"), rotation)


def head_verdict(
    image: NDArray[np.uint8],
) -> tuple[PixelFindingKind, float, tuple[float, float, float, float]] | None:
    """Judge the upper quarter of a person, uint8 (h, w, 3) BGR.

    Returns:
        (HELMET or BARE_HEAD, score 0..1, box of the head as shares of the person's width and height); None: cannot be told.
    """
    height, width = image.shape[:2]
    side = height * _HEAD_SHARE / 0.25
    hsv = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), max(0.5, side / 24)), cv2.COLOR_BGR2HSV).astype(np.int16)
    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    strong = (saturation > 110) & (value > 75)
    colours = {
        "yellow": strong & (hue >= 19) & (hue < 36),
        "orange": strong & (saturation > 150) & (value > 110) & ((hue < 19) | (hue > 172)),
        "red": (saturation > 140) & (value > 80) & ((hue < 8) | (hue > 170)),
        "blue": (saturation > 100) & (value > 70) & (hue >= 92) & (hue < 128),
        "green": (saturation > 110) & (value > 60) & (hue >= 40) & (hue < 85),
        "white": (saturation < 48) & (value > 175),
    }
    dark = (value < 70) | ((value < 95) & (saturation < 90))
    skin = (hue < 18) & (saturation > 45) & (saturation < 150) & (value > 80)
    # The crown: where the head is, is found by its contrast to nothing in particular: people stand upright, so it is the middle
    # third of the box, and its cap the upper 55 % of a head's height.
    cap_h = max(3, round(0.55 * side))
    half = max(2.0, 0.36 * side)
    best: tuple[float, str, float, float] | None = None
    for middle in np.linspace(0.35, 0.65, 5) * width:
        for top in (0.02, 0.10):
            y1 = round(top * height)
            x1, x2 = max(0, round(middle - half)), min(width, round(middle + half))
            window = (slice(y1, y1 + cap_h), slice(x1, x2))
            if x2 - x1 < 4:
                continue
            shares = {name: float(mask[window].mean()) for name, mask in colours.items()}
            name = max(shares, key=lambda n: shares[n])
            if best is None or shares[name] > best[0]:
                best = (shares[name], name, float(middle), float(y1))
    if best is None:
        return None
    share, name, middle, y1 = best
    window = (slice(round(0.03 * height), round(0.03 * height) + cap_h), slice(round(0.36 * width), round(0.64 * width) + 1))
    hair = float(dark[window].mean())
    bare = hair + float((skin & ~colours["orange"] & ~colours["red"])[window].mean())
    area = (middle / width - half / width, y1 / height * 0.25, 2 * half / width, side / height * 0.25)
    if share >= (0.62 if name == "white" else 0.5) and hair < 0.4 and _is_cap(colours[name], name, middle, y1, side):
        return PixelFindingKind.HELMET, min(0.95, 0.4 + 0.55 * share), area
    if hair >= 0.38 and bare >= 0.6 and share < 0.3:
        middle_area = (0.5 - half / width, 0.0, 2 * half / width, side / height * 0.25)
        return PixelFindingKind.BARE_HEAD, min(0.95, 0.25 + 0.7 * bare), middle_area
    return None


def _is_cap(mask: NDArray[np.bool_], name: str, middle: float, top: float, side: float) -> bool:
    """Whether the colour ends beside the cap, and somewhere between crown and shoulders: a sky, a wall or a hood does not."""
    width = mask.shape[1]
    half = 0.36 * side
    rows, reach = slice(round(top + 0.5 * side), round(top + 1.4 * side)), 0.6 * half
    neck = mask[rows, max(0, round(middle - reach)) : round(middle + reach) + 1]
    left = mask[round(top) : round(top + 0.5 * side), : max(1, round(middle - 2.1 * half))]
    right = mask[round(top) : round(top + 0.5 * side), min(width - 1, round(middle + 2.1 * half)) :]
    beside = max((float(part.mean()) for part in (left, right) if part.size >= 6), default=0.0)
    gap = float(neck.mean(axis=1).min()) if neck.size else 1.0
    return gap < 0.5 and beside < (0.35 if name == "white" else 0.6)
