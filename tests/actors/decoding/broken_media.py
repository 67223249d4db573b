"""Broken and odd media files made by code, and a program that puts each through the decoder: ``python broken_media.py FOLDER``.

The program runs apart from the tests: a file that crashes the library must not take the test run along. It prints a line of JSON
per file: name, frames, reason ("" when it was read to its end), seconds.
"""

import json
import random
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
from decoding_clips import write_clip

from actors.decoding import SourceOptions, StreamReader, letterbox, open_source
from actors.errors import SourceError

PATIENCE_S = 60.0


def make_corpus(folder: Path) -> None:
    """Write the files."""
    chance = random.Random(7)
    good = write_clip(folder / "good.mp4", 30).read_bytes()
    for share in (0.02, 0.3, 0.6, 0.9, 0.99):
        (folder / f"truncated-{share}.mp4").write_bytes(good[: int(len(good) * share)])
    for kind, container in (("mp4", None), ("ts", "mpegts"), ("mkv", "matroska"), ("avi", "avi"), ("flv", "flv")):
        whole = write_clip(folder / f"whole.{kind}", 30, container_format=container).read_bytes()
        for n in range(6):
            (folder / f"flipped-{n}.{kind}").write_bytes(flipped(whole, chance, share=(1e-4, 1e-3, 1e-2)[n % 3]))
        (folder / f"cut.{kind}").write_bytes(whole[: len(whole) * 2 // 3])
        (folder / f"head-only.{kind}").write_bytes(whole[:64])
        (folder / f"headless.{kind}").write_bytes(whole[64:])
        (folder / f"zeroed.{kind}").write_bytes(whole[: len(whole) // 3] + bytes(len(whole) * 2 // 3))
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("This is no video.\n" * 500)
    (folder / "random.mp4").write_bytes(chance.randbytes(300_000))
    (folder / "random.ts").write_bytes(b"".join(b"\x47" + chance.randbytes(187) for _ in range(1500)))
    (folder / "mp4-inside.avi").write_bytes(good)
    (folder / "no-extension").write_bytes(good)
    (folder / "picture.mp4").write_bytes(b"\xff\xd8\xff\xe0" + chance.randbytes(20_000))
    (folder / "giant-atom.mp4").write_bytes(b"\x00\x00\x00\x01moov\xff\xff\xff\xff\xff\xff\xff\xff" + good[:2000])
    (folder / "nested-atoms.mp4").write_bytes(good[:32] + b"\x00\x00\x40\x00moov" * 2000)
    (folder / "playlist.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nplaylist.m3u8\n#EXT-X-ENDLIST\n")
    (folder / "reads-files.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    (folder / "concat.mp4").write_text("ffconcat version 1.0\nfile /etc/passwd\nfile http://127.0.0.1:9/x\n")
    write_clip(folder / "1x1.mkv", 10, size=(1, 1), codec="ffv1", pixel_format="bgr0")
    write_clip(folder / "2x2.mp4", 10, size=(2, 2))
    write_clip(folder / "8k.mp4", 3, size=(7680, 4320), codec="mpeg4")
    write_clip(folder / "wide.mkv", 5, size=(4000, 2), codec="mpeg4")
    zero_rate(folder)
    sound(folder / "sound.mp4")


def flipped(data: bytes, chance: random.Random, share: float) -> bytes:
    """``data`` with this share of its bits flipped, at least one."""
    changed = bytearray(data)
    for _ in range(max(1, int(len(data) * 8 * share))):
        at = chance.randrange(len(changed) * 8)
        changed[at // 8] ^= 1 << (at % 8)
    return bytes(changed)


def zero_rate(folder: Path) -> None:
    """Recordings whose headers state a rate or a time scale of zero."""
    avi = bytearray(write_clip(folder / "rate.avi", 10, codec="mpeg4", container_format="avi").read_bytes())
    header, stream = avi.find(b"avih"), avi.find(b"strh")
    avi[header + 8 : header + 12] = bytes(4)  # microseconds per frame
    avi[stream + 28 : stream + 36] = bytes(8)  # scale and rate
    (folder / "zero-rate.avi").write_bytes(avi)
    mp4 = bytearray(write_clip(folder / "scale.mp4", 10).read_bytes())
    for atom in (b"mvhd", b"mdhd"):
        at = mp4.find(atom)
        mp4[at + 16 : at + 20] = bytes(4)
    (folder / "zero-scale.mp4").write_bytes(mp4)


def sound(path: Path) -> None:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        stream.layout = "mono"
        for n in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, n * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def read_whole(path: Path) -> tuple[int, str]:
    """Frames and the reason it ended early; every frame goes through the scaling a camera does."""
    frames = 0
    try:
        with open_source(str(path), SourceOptions(start_time_s=0.0)) as source:
            for frame in source:
                letterbox(frame, (64, 64), None)
                frames += 1
                if frames >= 200:
                    break
    except SourceError as error:
        return frames, error.reason
    return frames, ""


def read_for_ever(path: Path) -> str:
    """The same through a reader that loops, closed while it runs; "" when it could be closed."""
    with StreamReader(str(path), SourceOptions(start_time_s=0.0, loop=True)) as reader:
        end = time.monotonic() + 0.05
        while time.monotonic() < end and not reader.finished:
            reader.latest(0.05)
    return "" if reader.close() else "the reader did not end"


def main(folder: Path) -> None:
    """Every file, with a time limit each."""
    for path in sorted(folder.iterdir()):
        found: list[tuple[int, str, str]] = []

        def work(path: Path = path, found: list[tuple[int, str, str]] = found) -> None:
            frames, reason = read_whole(path)
            found.append((frames, reason, read_for_ever(path)))

        begin = time.monotonic()
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(PATIENCE_S)
        frames, reason, stuck = found[0] if found else (-1, "", "hangs" if thread.is_alive() else "an error nobody expected")
        seconds = round(time.monotonic() - begin, 2)
        print(json.dumps({"name": path.name, "frames": frames, "reason": reason, "stuck": stuck, "s": seconds}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
