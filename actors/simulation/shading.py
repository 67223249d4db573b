"""Renders one mesh at one place into a picture with coverage."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from actors.simulation.camera_model import CameraModel
from actors.simulation.looks import Look, ramp
from actors.simulation.materials import Finish, surface_of
from actors.simulation.meshes import WHEEL, Mesh
from actors.simulation.raster import rasterise

Floats = NDArray[Any]  # float32 per pixel, float64 per vertex
NEAR_M = 1.5


@dataclass(frozen=True, slots=True)
class Rendered:
    """``colour`` float32 (h, w, 3) 0..255 premultiplied, ``cover`` float32 (h, w) 0..1, top left pixel at (x0, y0)."""

    colour: NDArray[np.float32]
    cover: NDArray[np.float32]
    x0: int
    y0: int


def to_world(points: Floats, x_m: float, y_m: float, forward: tuple[float, float]) -> Floats:
    """Object axes to world axes; ``forward`` is the unit vector of the object's x axis in world X and Y."""
    fx, fy = forward
    rotation = np.array([[fx, -fy, 0.0], [fy, fx, 0.0], [0.0, 0.0, 1.0]])
    return points @ rotation.T + np.array([x_m, y_m, 0.0])


def _rgb(colour: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(colour, np.float32)


def _environment(direction: Floats, look: Look) -> Floats:
    z = direction[:, 2]
    t = np.clip(z, 0, 1)[:, None] ** np.float32(0.6)
    sky = _rgb(look.sky)
    above = sky * 1.55 * (1 - t) + sky * 1.15 * t
    m = np.clip((z + 0.03) / 0.10, 0, 1)[:, None]
    out = _rgb(look.ground) * 1.3 * (1 - m) + above * m
    trees = np.exp(-(((z - 0.06) / 0.07) ** 2))[:, None] * 0.75
    return out * (1 - trees) + _rgb((0.16, 0.19, 0.15)) * (sky.mean() / 0.53) * trees


def _interpolate(values: Floats, corner: NDArray[np.int64], weight: Floats) -> Floats:
    single = values.astype(np.float32)
    return sum((single[corner[:, i]] * weight[:, i, None] for i in (1, 2)), single[corner[:, 0]] * weight[:, :1])


def _shade(
    albedo: Floats, f0: Floats, gloss: Floats, glow: Floats, normal: Floats, view: Floats, height: Floats, look: Look
) -> Floats:
    sun = _rgb(look.sun)
    direct = np.clip(normal @ sun, 0, 1)[:, None] * _rgb(look.sun_colour)
    up = (0.5 + 0.5 * normal[:, 2])[:, None]
    open_air = (ramp(-0.1, 0.7, height) * 0.6 + 0.4)[:, None]
    colour = albedo * (direct + (_rgb(look.ground) * (1 - up) * 0.7 + _rgb(look.sky) * up) * open_air)
    cosine = np.clip((normal * view).sum(1), 0.02, 1)
    mirror = 2 * cosine[:, None] * normal - view
    fresnel = ((f0 + (1 - f0) * (1 - cosine) ** 5 * 0.9) * gloss)[:, None]
    glint = np.clip(mirror @ sun, 0, 1)
    highlight = (glint**60 * 0.5 + glint**600 * 3)[:, None] * _rgb(look.sun_colour)
    return colour + _environment(mirror, look) * fresnel * open_air + highlight * fresnel + glow


def render(
    mesh: Mesh,
    finish: Finish,
    camera: CameraModel,
    look: Look,
    x_m: float,
    y_m: float,
    forward: tuple[float, float],
    oversample: int,
) -> Rendered | None:
    """Render ``mesh`` with its origin at (x_m, y_m) on the road; None when nothing of it is near the frame."""
    world = to_world(mesh.vertices, x_m, y_m, forward)
    points = camera.project(world)
    ahead = points[:, 2] > NEAR_M
    if not ahead.any():
        return None
    margin = round(0.12 * camera.width)
    low, high = points[ahead, :2].min(0), points[ahead, :2].max(0)
    x0, y0 = max(int(np.floor(low[0])) - 2, -margin), max(int(np.floor(low[1])) - 2, -margin)
    x1, y1 = min(int(np.ceil(high[0])) + 2, camera.width + margin), min(int(np.ceil(high[1])) + 2, camera.height + margin)
    if x1 - x0 < 5 or y1 - y0 < 5:
        return None
    w, h = (x1 - x0) * oversample, (y1 - y0) * oversample
    local = np.stack([(points[:, 0] - x0) * oversample, (points[:, 1] - y0) * oversample, points[:, 2]], 1)
    normals = to_world(mesh.normals, 0.0, 0.0, forward)
    view = camera.centre - world
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    facing = (normals * view).sum(1)[mesh.faces].max(1)
    keep = ((facing > -0.1) | (mesh.parts[mesh.faces[:, 0]] == WHEEL)) & ahead[mesh.faces].all(1)
    pixel, tri, weight = rasterise(local, mesh.faces[keep], w, h)
    corner = mesh.faces[keep][tri]
    point, normal, surface = (_interpolate(values, corner, weight) for values in (mesh.vertices, mesh.normals, mesh.surface))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + np.float32(1e-9)
    part = mesh.parts[corner[:, 0]]
    albedo, glow = np.zeros((2, len(point), 3), np.float32)
    f0, gloss = np.zeros((2, len(point)), np.float32)
    for number in np.unique(part):
        j = np.nonzero(part == number)[0]
        s = surface_of(mesh, int(number), point[j], normal[j], surface[j], finish)
        albedo[j], f0[j], gloss[j], glow[j] = s.albedo, s.f0, s.gloss, s.glow
    if look.snow:
        lying = ramp(0.75, 0.95, normal[:, 2])[:, None] * look.snow
        albedo += lying * (0.8 - albedo)
    towards = (camera.centre - to_world(point, x_m, y_m, forward)).astype(np.float32)
    distance = np.linalg.norm(towards, axis=1)
    facing_world = to_world(normal, 0, 0, forward).astype(np.float32)
    colour = _shade(albedo, f0, gloss, glow, facing_world, towards / distance[:, None], point[:, 2], look)
    colour = (1 - np.exp(-colour * look.exposure * 1.15)).clip(0, 1) ** (1 / 2.2)
    air = look.air(distance)[:, None]
    image = np.zeros((w * h, 4), np.float32)
    image[pixel, :3] = (colour * (1 - air) + _rgb(look.haze) * air) * 255
    image[pixel, 3] = 1
    image = cv2.resize(image.reshape(h, w, 4), (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    return Rendered(np.ascontiguousarray(image[..., :3]), np.ascontiguousarray(image[..., 3]), x0, y0)
