"""Video input: any address becomes decoded frames with strictly increasing times. Plain Python and PyAV, no Ray.

``open_source`` reads one source to its end; ``StreamReader`` keeps a camera alive for ever. ``letterbox`` makes the network's
input of a frame, ``crop_jpeg`` a picture for people.
"""

from actors.decoding.address import SourceKind, address_kind, mask_address
from actors.decoding.frames import DecodedFrame, SourceCounters, SourceInfo
from actors.decoding.interrupt import CancelToken
from actors.decoding.opening import open_source
from actors.decoding.options import SourceOptions
from actors.decoding.packets import CompressedPacket, PacketClip
from actors.decoding.pictures import crop_jpeg, frame_rgb
from actors.decoding.policy import ReconnectConfig, ReconnectPolicy, StatusChange
from actors.decoding.probing import ProbeResult, probe
from actors.decoding.reader import ReaderCounters, StreamReader
from actors.decoding.scaling import LetterboxTransform, letterbox
from actors.decoding.source import VideoSource

__all__ = [
    "CancelToken",
    "CompressedPacket",
    "DecodedFrame",
    "LetterboxTransform",
    "PacketClip",
    "ProbeResult",
    "ReaderCounters",
    "ReconnectConfig",
    "ReconnectPolicy",
    "SourceCounters",
    "SourceInfo",
    "SourceKind",
    "SourceOptions",
    "StatusChange",
    "StreamReader",
    "VideoSource",
    "address_kind",
    "crop_jpeg",
    "frame_rgb",
    "letterbox",
    "mask_address",
    "open_source",
    "probe",
]
