"""Video input: any address becomes decoded frames with strictly increasing times. Plain Python and PyAV, no Ray.

``open_source`` reads one source to its end; ``StreamReader`` keeps a camera alive for ever. ``letterbox`` makes the network's
input of a frame, ``crop_jpeg`` a picture for people.
"""

from actors.decoding.address import SourceKind, address_kind, host_of, mask_address
from actors.decoding.clip_files import ClipEncoding, save_clip
from actors.decoding.cuts import VehicleCut, cut_vehicle
from actors.decoding.frames import DecodedFrame, SourceCounters, SourceInfo
from actors.decoding.interrupt import CancelToken
from actors.decoding.opening import VideoOpener, open_source
from actors.decoding.options import HardwareDecoder, SourceOptions
from actors.decoding.packets import ClipSpan, CompressedPacket, PacketClip, PacketRing
from actors.decoding.pictures import crop_jpeg, frame_rgb, rgb_jpeg
from actors.decoding.policy import ReconnectConfig, ReconnectPolicy, StatusChange
from actors.decoding.probing import ProbeResult, probe
from actors.decoding.reader import QUEUE_FRAMES, ReaderCounters, StreamReader
from actors.decoding.scaling import LetterboxTransform, letterbox
from actors.decoding.source import VideoSource
from actors.decoding.stream_header import StreamHeader

__all__ = [
    "QUEUE_FRAMES",
    "CancelToken",
    "ClipEncoding",
    "ClipSpan",
    "CompressedPacket",
    "DecodedFrame",
    "HardwareDecoder",
    "LetterboxTransform",
    "PacketClip",
    "PacketRing",
    "ProbeResult",
    "ReaderCounters",
    "ReconnectConfig",
    "ReconnectPolicy",
    "SourceCounters",
    "SourceInfo",
    "SourceKind",
    "SourceOptions",
    "StatusChange",
    "StreamHeader",
    "StreamReader",
    "VehicleCut",
    "VideoOpener",
    "VideoSource",
    "address_kind",
    "crop_jpeg",
    "cut_vehicle",
    "frame_rgb",
    "host_of",
    "letterbox",
    "mask_address",
    "open_source",
    "probe",
    "rgb_jpeg",
    "save_clip",
]
