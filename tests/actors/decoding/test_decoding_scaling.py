import av
import cv2
import numpy as np
import pytest
from decoding_clips import picture
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.decoding import DecodedFrame, crop_jpeg, frame_rgb, letterbox
from actors.decoding.regions import stored_rectangle, upright_rectangle

FORMATS = ["yuv420p", "yuvj420p", "nv12", "yuv422p", "yuvj422p", "yuv444p", "yuv420p10le", "rgb24", "bgr0", "gray"]
BT601, BT709 = 6, 1
LIMITED, FULL = 1, 2


def scene(width=640, height=480):
    """Smooth colours with sharp objects, so that both wrong colour and wrong place show."""
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], -1).astype(np.uint8)
    image[height // 4 : height // 2, width // 4 : width // 3] = (220, 30, 40)
    image[height // 2 : height * 3 // 4, width // 2 : width * 2 // 3] = (20, 40, 210)
    return image


def frame_of(image, pixel_format="yuv420p", rotation=0, colorspace=None, color_range=None):
    """A decoded frame that shows ``image`` upright when turned by ``rotation``."""
    stored = np.ascontiguousarray(np.rot90(image, k=-rotation // 90))
    rgb = av.VideoFrame.from_ndarray(stored, format="rgb24")
    options = {} if colorspace is None else {"dst_colorspace": colorspace}
    frame = rgb.reformat(format=pixel_format, dst_color_range=color_range, **options)
    return DecodedFrame(
        index=0,
        pts_s=0.0,
        time_s=0.0,
        frame=frame,
        width=image.shape[1],
        height=image.shape[0],
        key_frame=True,
        rotation=rotation,
    )


def difference(a, b):
    return np.abs(a.astype(int) - b.astype(int)).mean()


@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("crop", [None, (0.1, 0.2, 0.8, 0.9)])
def test_every_pixel_format_gives_the_same_input(pixel_format, crop):
    frame = frame_of(scene(), pixel_format)
    image, transform = letterbox(frame, (320, 192), crop)
    assert image.flags.c_contiguous
    assert image.dtype == np.uint8
    assert image.shape == (transform.height, transform.width, 3)
    full = frame_rgb(frame)
    x1, y1 = int(transform.offset_x), int(transform.offset_y)
    x2, y2 = x1 + round(transform.width / transform.scale_x), y1 + round(transform.height / transform.scale_y)
    expected = cv2.resize(full[y1:y2, x1:x2], image.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert difference(image, expected) < 2.5


@pytest.mark.parametrize("colorspace", ["ITU601", "ITU709"])
@pytest.mark.parametrize(("pixel_format", "color_range"), [("yuv420p", "MPEG"), ("yuv420p", "JPEG"), ("yuvj420p", "JPEG")])
@pytest.mark.parametrize("crop", [None, (0.25, 0.25, 0.75, 0.75)])
def test_colour_matrix_and_range_are_the_pictures_own(colorspace, pixel_format, color_range, crop):
    colours = np.zeros((240, 320, 3), np.uint8)
    for n, colour in enumerate([(235, 20, 20), (20, 235, 20), (20, 20, 235), (250, 250, 250)]):
        colours[:, n * 80 : n * 80 + 80] = colour
    frame = frame_of(colours, pixel_format, colorspace=colorspace, color_range=color_range)
    image, transform = letterbox(frame, (160, 120), crop)
    for n, colour in enumerate([(235, 20, 20), (20, 235, 20), (20, 20, 235), (250, 250, 250)]):
        x = (n * 80 + 40 - transform.offset_x) * transform.scale_x
        if 4 < x < transform.width - 4:
            assert np.abs(image[transform.height // 2, int(x)].astype(int) - colour).max() <= 4


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (0.2, 0.1, 0.7, 0.8)])
def test_rotation_and_crop_lead_back_to_the_frame(rotation, crop):
    image = scene(640, 360)
    small, transform = letterbox(frame_of(image, rotation=rotation), (256, 160), crop)
    assert (transform.frame_width, transform.frame_height) == (640, 360)
    red = (small[..., 0] > 150) & (small[..., 1] < 90) & (small[..., 2] < 90)
    rows, columns = np.nonzero(red)
    found = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]])
    box = transform.to_frame(found)[0]
    assert box == pytest.approx([160, 90, 213, 180], abs=5)
    assert difference(small, cv2.resize(region_of(image, transform), small.shape[1::-1], interpolation=cv2.INTER_AREA)) < 2.5


def region_of(image, transform):
    x1, y1 = int(transform.offset_x), int(transform.offset_y)
    return image[y1 : y1 + round(transform.height / transform.scale_y), x1 : x1 + round(transform.width / transform.scale_x)]


@pytest.mark.parametrize(
    ("size", "limit", "expected"),
    [
        ((1920, 1080), (640, 384), (640, 360)),
        ((1280, 720), (640, 384), (640, 360)),
        ((576, 996), (640, 384), (222, 384)),
        ((320, 240), (640, 384), (512, 384)),
        ((1, 1), (640, 384), (384, 384)),
        ((2000, 2), (640, 384), (640, 1)),
    ],
)
def test_the_input_fits_and_touches(size, limit, expected):
    frame = frame_of(picture(5, *size) if min(size) > 8 else np.full((*size[::-1], 3), 130, np.uint8), "rgb24")
    image, transform = letterbox(frame, limit)
    assert image.shape[1::-1] == expected
    whole = transform.to_frame(np.array([[0, 0, *expected]], np.float32))[0]
    assert whole == pytest.approx([0, 0, *size], abs=0.01)


def test_boxes_are_clipped_to_the_frame_and_none_is_none():
    _, transform = letterbox(frame_of(scene()), (320, 192))
    assert transform.to_frame(np.array([[-50.0, -50.0, 5000.0, 5000.0]])).tolist() == [[0.0, 0.0, 640.0, 480.0]]
    assert transform.to_frame(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_an_empty_crop_is_refused():
    with pytest.raises(ValueError, match="empty"):
        letterbox(frame_of(scene()), (320, 192), (0.5, 0.5, 0.5, 0.9))


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(16, 200), st.integers(16, 200)),
    st.sampled_from([0, 90, 180, 270]),
    st.tuples(*[st.floats(0, 1)] * 4),
    st.sampled_from(["yuv420p", "rgb24", "nv12"]),
)
def test_any_size_crop_and_rotation_maps_back_into_its_crop(size, rotation, corners, pixel_format):
    x1, x2 = sorted(corners[:2])
    y1, y2 = sorted(corners[2:])
    if x2 - x1 < 0.01 or y2 - y1 < 0.01:
        return
    width, height = size
    image, transform = letterbox(frame_of(picture(1, width, height), pixel_format, rotation), (96, 64), (x1, y1, x2, y2))
    assert image.shape[0] <= 64
    assert image.shape[1] <= 96
    left, top, right, bottom = transform.to_frame(np.array([[0, 0, image.shape[1], image.shape[0]]]))[0]
    assert left <= x1 * width + 1e-3 <= left + 3
    assert right - 3 <= x2 * width <= right + 1e-3
    assert top <= y1 * height + 1e-3 <= top + 3
    assert bottom - 3 <= y2 * height <= bottom + 1e-3


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 50), st.integers(1, 50), st.sampled_from([0, 90, 180, 270]))
def test_rectangles_turn_there_and_back(x, y, width, height, rotation):
    rectangle = (x, y, x + width, y + height)
    stored = stored_rectangle(rectangle, (120, 110), rotation)
    assert upright_rectangle(stored, (120, 110), rotation) == rectangle


def decoded(jpeg):
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj422p", "rgb24", "nv12"])
def test_a_crop_shows_its_box(rotation, pixel_format):
    image = scene()
    crop = decoded(crop_jpeg(frame_of(image, pixel_format, rotation), (161.0, 121.0, 212.0, 241.0), quality=95))
    assert crop.shape == (120, 51, 3)
    assert difference(crop, image[121:241, 161:212]) < 6


def test_a_crop_has_its_margin_and_stays_inside():
    frame = frame_of(scene())
    assert decoded(crop_jpeg(frame, (100, 100, 200, 150), margin=0.1)).shape == (60, 120, 3)
    assert decoded(crop_jpeg(frame, (-100, -100, 50, 50), margin=0.5)).shape == (125, 125, 3)
    assert decoded(crop_jpeg(frame, (700, 500, 800, 600))).shape == (1, 1, 3)
    assert decoded(crop_jpeg(frame, (639.2, 10, 639.4, 10.1))).shape == (1, 1, 3)


def test_the_whole_picture_and_its_largest_size():
    frame = frame_of(scene(), rotation=90)
    whole = decoded(crop_jpeg(frame, quality=95))
    assert whole.shape == (480, 640, 3)
    assert difference(whole, scene()) < 4
    assert decoded(crop_jpeg(frame, max_size=(320, 320))).shape == (240, 320, 3)
    assert decoded(crop_jpeg(frame, max_size=(9999, 9999))).shape == (480, 640, 3)
    assert len(crop_jpeg(frame, quality=30)) < len(crop_jpeg(frame, quality=95))


@pytest.mark.parametrize("quality", [0, 101])
def test_impossible_quality_is_refused(quality):
    with pytest.raises(ValueError, match="quality"):
        crop_jpeg(frame_of(scene()), quality=quality)


def test_a_box_of_no_numbers_is_refused():
    with pytest.raises(ValueError, match="numbers"):
        crop_jpeg(frame_of(scene()), (0, 0, float("nan"), 10))


def test_odd_sizes_can_be_cut_at_their_borders():
    image = picture(3, 129, 97)
    frame = frame_of(image, "yuv420p")
    assert decoded(crop_jpeg(frame, (100, 80, 129, 97))).shape == (17, 29, 3)
    assert letterbox(frame, (64, 64), (0.5, 0.5, 1.0, 1.0))[0].shape[1] == 64


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((1280, 720), (896, 672)),  # the wide picture is stretched upwards by exactly 4/3
        ((720, 1280), (504, 672)),  # the upright one sideways, as far as allowed
        ((352, 288), (528, 576)),  # enlarged by 1.5, then stretched upwards
        ((896, 672), (896, 672)),
    ],
)
def test_a_picture_may_be_stretched_and_enlarged_only_so_far(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 90, np.uint8), format="rgb24")
    image, transform = letterbox(frame, (896, 672), max_stretch=4 / 3, max_enlargement=1.5)
    assert (image.shape[1], image.shape[0]) == wanted
    assert transform.to_frame(np.array([[0, 0, *wanted]], np.float32)).tolist() == [[0, 0, *size]]
