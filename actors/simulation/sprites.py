"""Pictures of objects at logarithmically spaced distances, made once, kept in memory within a budget and on disk.

A sprite depends on nothing but its key, so frames are the same whether it was just rendered or came from the cache. File names
hold a hash of the key and of the renderer's own source: a changed renderer never reads old pictures. A file that does
not match its checksum is rendered again.
"""

import hashlib
import os
import struct
import tempfile
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.camera_model import CameraModel
from actors.simulation.looks import Look
from actors.simulation.materials import Finish
from actors.simulation.meshes import mesh_of
from actors.simulation.outline import MARGIN, Outline, outline_of
from actors.simulation.shading import NEAR_M, Rendered, render, to_world

Floats = NDArray[np.float64]
KEY_RATIO = 1.22
FIRST_DEPTH_M = 6.0
BUDGET_BYTES = 40 * 1024 * 1024
_MAGIC = b"WSPRITE1"
_HEADER = struct.Struct("<8sIIIii")


@dataclass(frozen=True, slots=True)
class SpriteKey:
    """What is shown and from where. ``level`` counts distance keys of the far end of the object."""

    kind: str
    finish: Finish
    x_m: float
    forward: tuple[float, float]
    level: int


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """``layers`` uint8 (h, w, 4): premultiplied RGB and the share of the background that shines through (shadow included);
    ``cover`` uint8 (ceil(h/4), ceil(w/4)): the object without its shadow; top left pixel at (x0, y0); ``outline``: of the
    object where the sprite was rendered."""

    layers: NDArray[np.uint8]
    cover: NDArray[np.uint8]
    x0: int
    y0: int
    outline: Outline


def default_cache_dir() -> Path:
    """``$XDG_CACHE_HOME/wayside/simulation``."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "wayside" / "simulation"


@lru_cache(maxsize=1)
def renderer_version() -> str:
    """Hash of the modules that decide a sprite's pixels."""
    digest = hashlib.sha256()
    for name in ("camera_model", "meshes", "outline", "shapes", "materials", "raster", "shading", "looks", "plates", "sprites"):
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def level_depth_m(level: int) -> float:
    """Depth in metres of a distance key."""
    return float(FIRST_DEPTH_M * KEY_RATIO**level)


class SpriteStore:
    """Sprites of one camera and look. ``cache_dir`` None keeps nothing on disk."""

    def __init__(self, camera: CameraModel, look: Look, cache_dir: Path | None) -> None:
        self._camera, self._look, self._dir = camera, look, cache_dir
        self._memory: OrderedDict[SpriteKey, Sprite | None] = OrderedDict()
        self.bytes_held = 0
        self.built = 0
        if cache_dir is not None:
            try:
                cache_dir.mkdir(parents=True, exist_ok=True)
            except OSError:  # a read-only home: render without keeping
                self._dir = None

    def get(self, key: SpriteKey) -> Sprite | None:
        """The sprite; None when nothing of the object is near the frame."""
        if key in self._memory:
            self._memory.move_to_end(key)
            return self._memory[key]
        outline = outline_of(self._camera, key.kind, (key.x_m, self.place(key)), key.forward)
        sprite = None if outline is None else self._load(key, outline)
        if sprite is None and outline is not None:
            sprite = self._build(key, outline)
            self.built += 1
            if sprite is not None:
                self._save(key, sprite)
        self._memory[key] = sprite
        self.bytes_held += _size(sprite)
        while self.bytes_held > BUDGET_BYTES and len(self._memory) > 1:
            self.bytes_held -= _size(self._memory.popitem(last=False)[1])
        return sprite

    def place(self, key: SpriteKey) -> float:
        """World Y of the object's origin at the key's distance."""
        mesh = mesh_of(key.kind)
        p = np.radians(self._camera.pitch_deg)
        reach = mesh.half_length_m * abs(key.forward[1]) + mesh.half_width_m * abs(key.forward[0])
        return float((level_depth_m(key.level) - self._camera.height_m * np.sin(p)) / np.cos(p) - reach)

    def _build(self, key: SpriteKey, shape: Outline) -> Sprite | None:
        mesh, y_m = mesh_of(key.kind), self.place(key)
        size = self._camera.focal_px * 1.8 / level_depth_m(key.level)
        rendered = render(mesh, key.finish, self._camera, self._look, key.x_m, y_m, key.forward, 2 if size < 75 else 1)
        if rendered is None:
            return None
        return self._with_shadow(key, y_m, rendered, shape)

    def _with_shadow(self, key: SpriteKey, y_m: float, r: Rendered, shape: Outline) -> Sprite:
        mesh, camera, look = mesh_of(key.kind), self._camera, self._look
        pixel_per_m = camera.focal_px / level_depth_m(key.level)
        h, w = r.cover.shape
        sun = np.array(look.sun)
        outlines = []
        for points in mesh.casters:
            world = to_world(points, key.x_m, y_m, key.forward)
            outlines.append(cv2.convexHull((world - sun * (world[:, 2:] / sun[2]))[:, :2].astype(np.float32))[:, 0])
        cast = np.concatenate(outlines)
        ground = camera.project(np.c_[cast[:, 0], np.maximum(cast[:, 1], 1.0), np.zeros(len(cast))])[:, :2]
        a = mesh.half_length_m - min(0.35, 0.4 * mesh.half_width_m)
        b = 0.93 * mesh.half_width_m if mesh.wheels_x else 0.12
        foot = to_world(np.array([[-a, -b, 0], [-a, b, 0], [a, b, 0], [a, -b, 0]]), key.x_m, y_m, key.forward)
        ground = np.concatenate([ground, camera.project(np.c_[foot[:, 0], np.maximum(foot[:, 1], 1.0), np.zeros(4)])[:, :2]])
        pad, margin = int(max(4, 0.45 * pixel_per_m)), int(MARGIN * camera.width)
        x0 = max(min(r.x0, int(ground[:, 0].min())), -margin) - pad
        x1 = min(max(r.x0 + w, int(ground[:, 0].max())), camera.width + margin) + pad
        y0 = max(min(r.y0, int(ground[:, 1].min())), -margin) - pad
        y1 = min(max(r.y0 + h, int(ground[:, 1].max())), camera.height + margin) + pad
        width, height = x1 - x0, y1 - y0
        shadow = self._fill(outlines, x0, y0, width, height, max(0.6, 0.07 * pixel_per_m))
        contact = self._fill([foot[:, :2].astype(np.float32)], x0, y0, width, height, max(0.7, 0.10 * pixel_per_m))
        solid = len(mesh.casters) == 1  # thin things shade the road less: much of the sky reaches under them
        through = (1 - look.shadow * (1.0 if solid else 0.5) * shadow) * (1 - (0.5 if solid else 0.12) * contact)
        layers = np.zeros((height, width, 4), np.float32)
        iy, ix = r.y0 - y0, r.x0 - x0
        through[iy : iy + h, ix : ix + w] *= 1 - r.cover
        layers[iy : iy + h, ix : ix + w, :3] = r.colour
        layers[..., 3] = through * 255
        layers = cv2.GaussianBlur(layers, (0, 0), 0.45, borderType=cv2.BORDER_REPLICATE)
        cover = np.zeros((height, width), np.float32)
        cover[iy : iy + h, ix : ix + w] = r.cover
        small = cv2.resize(cover, ((width + 3) // 4, (height + 3) // 4), interpolation=cv2.INTER_AREA)
        return Sprite(np.clip(np.round(layers), 0, 255).astype(np.uint8), (small > 0.5).astype(np.uint8), x0, y0, shape)

    def _fill(
        self, outlines: list[NDArray[np.float32]], x0: int, y0: int, width: int, height: int, blur: float
    ) -> NDArray[np.float32]:
        """Share of shade 0..1 of convex shapes on the road, blurred."""
        mask = np.zeros((height, width), np.uint8)
        for outline in outlines:
            points = self._camera.project(np.c_[outline, np.zeros(len(outline))])
            if (points[:, 2] < NEAR_M).any():
                points = self._camera.project(np.c_[outline[:, 0], np.maximum(outline[:, 1], 1.0), np.zeros(len(outline))])
            corners = np.clip(points[:, :2] - [x0, y0], -4000, 4000)
            cv2.fillConvexPoly(mask, np.round(corners * 8).astype(np.int32), 255, cv2.LINE_AA, 3)
        return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), blur)

    # disk -----------------------------------------------------------------------------------------------------------

    def _path(self, key: SpriteKey) -> Path | None:
        if self._dir is None:
            return None
        text = repr((renderer_version(), self._camera, self._look, key))
        return self._dir / (hashlib.sha256(text.encode()).hexdigest()[:40] + ".sprite")

    def _load(self, key: SpriteKey, shape: Outline) -> Sprite | None:
        path = self._path(key)
        if path is None:
            return None
        try:
            data = path.read_bytes()
            magic, checksum, height, width, x0, y0 = _HEADER.unpack_from(data)
            body = data[_HEADER.size :]
            if magic != _MAGIC or zlib.crc32(body) != checksum:
                return None
            raw = np.frombuffer(zlib.decompress(body), np.uint8)
            layers, cover = raw[: height * width * 4], raw[height * width * 4 :]
            return Sprite(layers.reshape(height, width, 4), cover.reshape((height + 3) // 4, (width + 3) // 4), x0, y0, shape)
        except (OSError, struct.error, zlib.error, ValueError):
            return None

    def _save(self, key: SpriteKey, sprite: Sprite) -> None:
        path = self._path(key)
        if path is None:
            return
        body = zlib.compress(sprite.layers.tobytes() + sprite.cover.tobytes(), 1)
        height, width = sprite.layers.shape[:2]
        head = _HEADER.pack(_MAGIC, zlib.crc32(body), height, width, sprite.x0, sprite.y0)
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
            with os.fdopen(handle, "wb") as file:
                file.write(head + body)
            os.replace(name, path)
        except OSError:  # a full disk costs the cache, not the picture
            self._dir = None


def _size(sprite: Sprite | None) -> int:
    return 0 if sprite is None else sprite.layers.nbytes + sprite.cover.nbytes
