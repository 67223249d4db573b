"""Draws sprites at exact places and keeps account of who hides whom."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.camera_model import CameraModel
from actors.simulation.materials import Finish
from actors.simulation.meshes import mesh_of
from actors.simulation.outline import Outline, outline_of
from actors.simulation.shading import NEAR_M
from actors.simulation.sprites import FIRST_DEPTH_M, KEY_RATIO, Sprite, SpriteKey, SpriteStore
from traffic.types import Box

Floats = NDArray[np.float64]
_FAR_PX = 20_000.0  # farther than any part of an object that is partly in sight
_BLEND = 0.25  # share of a level over which two neighbouring sprites are cross-faded


class Painter:
    """Paints the objects of one frame, farthest first."""

    def __init__(self, camera: CameraModel, store: SpriteStore) -> None:
        self._camera, self._store = camera, store
        self._owner = np.zeros(((camera.height + 3) // 4, (camera.width + 3) // 4), np.int32)
        self._area: dict[int, float] = {}

    def begin(self) -> None:
        """Forget the last frame."""
        self._owner[:] = 0
        self._area.clear()

    def draw(
        self,
        image: NDArray[np.uint8],
        number: int,
        kind: str,
        finish: Finish,
        view_x_m: float,
        place: tuple[float, float],
        forward: tuple[float, float],
    ) -> Box | None:
        """Draw an object with its origin at ``place``; ``view_x_m`` is the X its sprites are rendered at.

        Returns:
            The exact box, not clipped to the frame; None when nothing of it is in the frame.
        """
        camera = self._camera
        outline = outline_of(camera, kind, place, forward)
        if outline is None:
            return None
        (x1, y1), (x2, y2) = outline.low.tolist(), outline.high.tolist()
        if x2 <= 1 or y2 <= 1 or x1 >= camera.width - 1 or y1 >= camera.height - 1:
            return None
        mesh = mesh_of(kind)
        reach = mesh.half_length_m * abs(forward[1]) + mesh.half_width_m * abs(forward[0])
        level = math.log(max(camera.depth(place[1] + reach), FIRST_DEPTH_M) / FIRST_DEPTH_M) / math.log(KEY_RATIO)
        base = math.floor(level)
        mix = min(1.0, max(0.0, (level - base - 0.5) / _BLEND + 0.5))
        near = None if mix >= 1 else self._store.get(SpriteKey(kind, finish, view_x_m, forward, base))
        far = None if mix <= 0 else self._store.get(SpriteKey(kind, finish, view_x_m, forward, base + 1))
        if near is None and far is None:
            return None
        if near is None or far is None:
            mix = 0.0 if far is None else 1.0
        self._blit(image, number, [(s, w) for s, w in ((near, 1 - mix), (far, mix)) if s is not None and w > 0], outline)
        return (x1, y1, x2, y2)

    def _fit(self, sprite: Sprite, outline: Outline) -> Floats | None:
        """Scale and shift per axis that take the sprite's pixels to the frame: box on box for whole objects (edges exact),
        least squares over the points in sight for objects cut by the frame."""
        made = sprite.outline
        if made.whole and outline.whole:
            scale = (outline.high - outline.low) / (made.high - made.low)
            shift = outline.low - scale * made.low
        else:
            size = np.array([self._camera.width, self._camera.height])
            a, b = made.points, outline.points
            near = ((a > -0.1 * size) & (a < 1.1 * size) & (b > -0.1 * size) & (b < 1.1 * size)).all(1)
            near &= (made.depth > NEAR_M) & (outline.depth > NEAR_M)
            if near.sum() < 4:
                return None
            a, b = a[near], b[near]
            spread = a.var(0)
            if (spread < 1).any():
                return None
            scale = ((a - a.mean(0)) * (b - b.mean(0))).mean(0) / spread
            shift = b.mean(0) - scale * a.mean(0)
        if min(scale) < 0.3 or max(scale) > 3:
            return None
        return np.array([scale, shift + scale * (sprite.x0, sprite.y0)])

    def _blit(self, image: NDArray[np.uint8], number: int, sprites: list[tuple[Sprite, float]], outline: Outline) -> None:
        fits = [(s, w, f) for s, w in sprites for f in (self._fit(s, outline),) if f is not None]
        if not fits:
            return
        width, height = self._camera.width, self._camera.height
        low = np.min([f[1] for _, _, f in fits], axis=0)
        high = np.max([f[1] + f[0] * [s.layers.shape[1], s.layers.shape[0]] for s, _, f in fits], axis=0)
        a0, b0 = max(0, int(np.floor(low[0]))), max(0, int(np.floor(low[1])))
        a1, b1 = min(width, int(np.ceil(high[0]))), min(height, int(np.ceil(high[1])))
        if a1 <= a0 or b1 <= b0:
            return
        warped = None
        for sprite, weight, (scale, shift) in fits:
            # Pixel centres: frame centre = scale * (sprite centre) + shift, hence the half pixels.
            matrix = np.array(
                [[scale[0], 0, shift[0] - a0 + 0.5 * scale[0] - 0.5], [0, scale[1], shift[1] - b0 + 0.5 * scale[1] - 0.5]]
            )
            one = cv2.warpAffine(
                sprite.layers,
                matrix,
                (a1 - a0, b1 - b0),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=(0, 0, 0, 255),
            )
            warped = one if warped is None else cv2.addWeighted(warped, 1 - weight, one, weight, 0)
        assert warped is not None
        region = image[b0:b1, a0:a1]
        alpha = cv2.extractChannel(warped, 3)
        cv2.multiply(region, cv2.merge((alpha, alpha, alpha)), dst=region, scale=1 / 255.0)
        cv2.add(region, cv2.cvtColor(warped, cv2.COLOR_RGBA2RGB), dst=region)
        sprite, _, fit = max(fits, key=lambda item: item[1])
        self._claim(number, sprite, fit, self._share_inside(outline))

    def _share_inside(self, outline: Outline) -> float:
        """Share of an object's outline inside the frame, 0..1."""
        width, height = self._camera.width, self._camera.height
        if outline.whole and min(outline.low) >= 0 and outline.high[0] <= width and outline.high[1] <= height:
            return 1.0
        window = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        shape = cv2.convexHull(np.clip(outline.points, -_FAR_PX, _FAR_PX).astype(np.float32))
        return min(1.0, cv2.intersectConvexConvex(shape, window)[0] / max(cv2.contourArea(shape), 1.0))

    def _claim(self, number: int, sprite: Sprite, fit: Floats, inside: float) -> None:
        scale, shift = fit
        h, w = sprite.cover.shape
        a0, b0 = np.floor(shift / 4).astype(int)
        size = (max(1, int(np.ceil(w * scale[0])) + 1), max(1, int(np.ceil(h * scale[1])) + 1))
        if size[0] > 4000 or size[1] > 4000:
            return
        matrix = np.array([[scale[0], 0, shift[0] / 4 - a0], [0, scale[1], shift[1] / 4 - b0]])
        mask = cv2.warpAffine(sprite.cover, matrix, size, flags=cv2.INTER_NEAREST)
        x0, y0 = max(0, a0), max(0, b0)
        part = mask[y0 - b0 :, x0 - a0 :]
        target = self._owner[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]]
        part = part[: target.shape[0], : target.shape[1]]
        self._area[number] = max(1.0, cv2.countNonZero(part) / max(inside, 1e-3))
        np.copyto(target, number, where=part > 0)

    def visible_shares(self) -> dict[int, float]:
        """Visible share per number drawn since ``begin``."""
        counts = np.bincount(self._owner.ravel(), minlength=max(self._area, default=0) + 1)
        return {number: min(1.0, float(counts[number]) / area) for number, area in self._area.items()}
