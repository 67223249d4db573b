"""Draws ``models/data/self_check.jpg`` again, the picture on which fast inference engines are checked when they are loaded.

``python -m benchmarks.self_check_picture [OUT]``: one frame of the simulated camera, whose traffic has had time to build up.
"""

import itertools
import sys
from pathlib import Path

import cv2

from actors.simulation import SimulatedCamera, parse_address
from models.self_check import PICTURE

ADDRESS = "sim://approach?seed=7&width=1280&height=720&opposing=2&warmup_s=100"
FRAME = 250
_QUALITY = 85


def main() -> None:
    """Draw and write."""
    cv2.setNumThreads(1)
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    frame = next(itertools.islice(SimulatedCamera(parse_address(ADDRESS)).frames(), FRAME, None))
    small = cv2.resize(frame.image, (960, 540), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(out), cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])


if __name__ == "__main__":
    main()
