import pytest

from actors.decoding import SourceKind, address_kind, mask_address
from actors.decoding.address import host_of, local_path, network_url
from actors.errors import SourceError


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("rtsp://admin:geheim@10.0.0.1:554/ch1", "rtsp://admin:***@10.0.0.1:554/ch1"),
        ("rtsp://admin:p@ss@10.0.0.1/ch1", "rtsp://admin:***@10.0.0.1/ch1"),
        ("rtsp://admin:pa/ss#1@10.0.0.1/ch1", "rtsp://admin:***@10.0.0.1/ch1"),
        ("rtsp://admin@10.0.0.1/ch1", "rtsp://admin@10.0.0.1/ch1"),
        ("rtsp://10.0.0.1/ch1", "rtsp://10.0.0.1/ch1"),
        ("rtsp://[fe80::1]:554/ch1@2", "rtsp://[fe80::1]:554/ch1@2"),
        ("http://cam/video?user=a&password=geheim&x=1", "http://cam/video?user=a&password=***&x=1"),
        ("https://cam/live.m3u8?access_token=geheim#t", "https://cam/live.m3u8?access_token=***#t"),
        ("/data/clip.mp4", "/data/clip.mp4"),
        ("sim://approach?seed=1", "sim://approach?seed=1"),
    ],
)
def test_masked_address_shows_no_secret(address, masked):
    assert mask_address(address) == masked
    assert "geheim" not in mask_address(address)


def test_password_with_reserved_characters_reaches_the_library_encoded():
    assert network_url("rtsp://admin:pa/s#s@cam:554/ch1") == "rtsp://admin:pa%2Fs%23s@cam:554/ch1"
    assert network_url("rtsp://admin:pa%2Fss@cam/ch1") == "rtsp://admin:pa%2Fss@cam/ch1"
    assert network_url("rtsp://cam/ch1") == "rtsp://cam/ch1"
    assert host_of("rtsp://admin:pa/ss@cam.local:554/ch1") == "cam.local"


def test_kinds_are_told_apart(tmp_path):
    clip = tmp_path / "a b#c.mp4"
    clip.write_bytes(b"x")
    assert address_kind(str(clip)) is SourceKind.FILE
    assert address_kind(clip.as_uri()) is SourceKind.FILE
    assert local_path(clip.as_uri()) == str(clip)
    assert address_kind(str(tmp_path)) is SourceKind.DIRECTORY
    assert address_kind("RTSP://cam/1") is SourceKind.RTSP
    assert address_kind("https://cam/1") is SourceKind.HTTP
    assert address_kind("sim://approach") is SourceKind.SIMULATION


@pytest.mark.parametrize("address", ["", "  ", "gopher://x/y", "/no/such/file.mp4", "concat:/etc/passwd|/etc/hosts"])
def test_unusable_addresses_are_permanent_errors(address):
    with pytest.raises(SourceError) as caught:
        address_kind(address)
    assert caught.value.permanent
