"""Draws sprites at exact places and keeps account of who hides whom."""

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.camera_model import CameraModel
from actors.simulation.materials import Finish
from actors.simulation.meshes import mesh_of
from actors.simulation.shading import NEAR_M, to_world
from actors.simulation.sprites import FIRST_DEPTH_M, KEY_RATIO, Sprite, SpriteKey, SpriteStore
from traffic.types import Box

Floats = NDArray[np.float64]
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
        mesh, camera = mesh_of(kind), self._camera
        hull = camera.project(to_world(mesh.hull, place[0], place[1], forward))
        seen = hull[hull[:, 2] > NEAR_M]
        if len(seen) < 3:
            return None
        (x1, y1), (x2, y2) = seen[:, :2].min(0), seen[:, :2].max(0)
        if x2 <= 1 or y2 <= 1 or x1 >= camera.width - 1 or y1 >= camera.height - 1:
            return None
        reach = mesh.half_length_m * abs(forward[1]) + mesh.half_width_m * abs(forward[0])
        level = np.log(max(camera.depth(place[1] + reach), FIRST_DEPTH_M) / FIRST_DEPTH_M) / np.log(KEY_RATIO)
        base = int(np.floor(level))
        mix = float(np.clip((level - base - 0.5) / _BLEND + 0.5, 0, 1))
        near = None if mix >= 1 else self._store.get(SpriteKey(kind, finish, view_x_m, forward, base))
        far = None if mix <= 0 else self._store.get(SpriteKey(kind, finish, view_x_m, forward, base + 1))
        if near is None and far is None:
            return None
        if near is None or far is None:
            mix = 0.0 if far is None else 1.0
        self._blit(image, number, [(s, w) for s, w in ((near, 1 - mix), (far, mix)) if s is not None and w > 0], hull)
        return (float(x1), float(y1), float(x2), float(y2))

    def _fit(self, sprite: Sprite, hull: Floats) -> Floats | None:
        """Scale and shift per axis that take the sprite's pixels to the frame: box on box for whole objects (edges exact),
        least squares over the points in sight for objects cut by the frame."""
        good = (sprite.hull[:, 2] > NEAR_M) & (hull[:, 2] > NEAR_M)
        a, b = sprite.hull[good, :2], hull[good, :2]
        size = np.array([self._camera.width, self._camera.height])
        near = ((a > -0.1 * size) & (a < 1.1 * size) & (b > -0.1 * size) & (b < 1.1 * size)).all(1)
        if not good.all() or not near.all():
            if near.sum() < 4:
                return None
            a, b = a[near], b[near]
            spread = a.var(0)
            if (spread < 1).any():
                return None
            scale = ((a - a.mean(0)) * (b - b.mean(0))).mean(0) / spread
            shift = b.mean(0) - scale * a.mean(0)
        else:
            scale = (b.max(0) - b.min(0)) / (a.max(0) - a.min(0))
            shift = b.min(0) - scale * a.min(0)
        if (scale < 0.3).any() or (scale > 3).any():
            return None
        return np.array([scale, shift + scale * [sprite.x0, sprite.y0]])

    def _blit(self, image: NDArray[np.uint8], number: int, sprites: list[tuple[Sprite, float]], hull: Floats) -> None:
        fits = [(s, w, f) for s, w in sprites for f in (self._fit(s, hull),) if f is not None]
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
        self._claim(number, *max(fits, key=lambda item: item[1]))

    def _claim(self, number: int, sprite: Sprite, weight: float, fit: Floats) -> None:
        scale, shift = fit
        h, w = sprite.cover.shape
        a0, b0 = np.floor(shift / 4).astype(int)
        size = (max(1, int(np.ceil(w * scale[0])) + 1), max(1, int(np.ceil(h * scale[1])) + 1))
        if size[0] > 4000 or size[1] > 4000:
            return
        matrix = np.array([[scale[0], 0, shift[0] / 4 - a0], [0, scale[1], shift[1] / 4 - b0]])
        mask = cv2.warpAffine(sprite.cover, matrix, size, flags=cv2.INTER_NEAREST)
        self._area[number] = max(1.0, float(cv2.countNonZero(mask)))
        x0, y0 = max(0, a0), max(0, b0)
        part = mask[y0 - b0 :, x0 - a0 :]
        target = self._owner[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]]
        np.copyto(target, number, where=part[: target.shape[0], : target.shape[1]] > 0)

    def visible_shares(self) -> dict[int, float]:
        """Visible share per number drawn since ``begin``."""
        counts = np.bincount(self._owner.ravel(), minlength=max(self._area, default=0) + 1)
        return {number: min(1.0, float(counts[number]) / area) for number, area in self._area.items()}
