"""Where Wayside may connect to, in every notation an address can be written in."""

import ipaddress
import pickle
import socket

import pytest

from actors.outbound import LOOPBACK, UNRESTRICTED, AddressRefusedError, OutboundPolicy, literal

DEFAULT = OutboundPolicy()
NEVER = [
    "127.0.0.1", "127.8.9.10", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.0.0.1.",
    "0", "0.0.0.0", "0.1.2.3", "[::1]", "::1", "::", "[::ffff:127.0.0.1]", "::ffff:7f00:1", "::127.0.0.1", "2002:7f00:1::",
    "64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "localhost", "LOCALHOST", "localhost.", "a.localhost",
    "169.254.169.254", "169.254.0.1", "0xa9fea9fe", "2852039166", "fe80::1", "fe80::1%eth0", "fd00:ec2::254",
    "100.100.100.200", "192.0.0.192", "168.63.129.16", "metadata.google.internal", "Metadata.Google.Internal.",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("host", NEVER)
def test_this_machine_neighbours_and_metadata_services_are_refused(host: str) -> None:
    with pytest.raises(AddressRefusedError) as refused:
        DEFAULT.check_host(host)
    assert "outbound_allow" in refused.value.chinese
    assert "outbound_allow" in refused.value.english


@pytest.mark.parametrize(
    "host",
    ["192.168.0.115", "10.0.0.1", "172.16.3.4", "100.64.0.1", "fd12::1", "8.8.8.8", "2606:4700::1", "cam.example", "3com"],
)
def test_private_and_public_addresses_and_names_pass(host: str) -> None:
    DEFAULT.check_host(host)


@pytest.mark.parametrize("host", ["192.168.0.115", "10.0.0.1", "100.64.0.1", "fd12::1", "::ffff:10.0.0.1"])
def test_private_networks_can_be_switched_off(host: str) -> None:
    strict = OutboundPolicy(private=False)
    with pytest.raises(AddressRefusedError):
        strict.check_host(host)
    strict.check_host("8.8.8.8")
    OutboundPolicy(private=False, allowed=("10.0.0.0/8", "192.168.0.115", "100.64.0.0/10", "fd12::/16")).check_host(host)


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        (LOOPBACK, "127.0.0.1"), (LOOPBACK, "[::1]"), (LOOPBACK, "::ffff:127.0.0.1"), (LOOPBACK, "localhost"),
        (("127.0.0.1",), "localhost"), (("localhost",), "localhost."), (("169.254.169.254",), "169.254.169.254"),
        (("*.cam.example",), "a.cam.example"), ((" 127.0.0.1 ",), "127.0.0.1"),
    ],
)  # fmt: skip
def test_what_is_listed_is_allowed(allowed: tuple[str, ...], host: str) -> None:
    OutboundPolicy(allowed=allowed).check_host(host)


def test_a_listed_network_allows_nothing_else() -> None:
    policy = OutboundPolicy(allowed=("127.0.0.1",))
    with pytest.raises(AddressRefusedError):
        policy.check_host("127.0.0.2")
    with pytest.raises(AddressRefusedError):
        policy.check_host("169.254.169.254")


def test_a_name_is_judged_by_what_it_resolves_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*texts: str) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 80)) for text in texts]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    answer("192.168.1.9", "127.0.0.1")
    assert DEFAULT.resolve("cam.example", 80) == ["192.168.1.9"]
    answer("127.0.0.1", "fe80::1%eth0")
    with pytest.raises(AddressRefusedError, match=r"cam\.example \(127\.0\.0\.1\)"):
        DEFAULT.resolve("cam.example", 80)
    assert OutboundPolicy(allowed=("cam.example",)).resolve("cam.example", 80) == ["127.0.0.1", "fe80::1"]


def test_the_command_line_is_not_restricted_and_policies_travel() -> None:
    for host in NEVER:
        UNRESTRICTED.check_host(host)
    copy = pickle.loads(pickle.dumps(OutboundPolicy(allowed=LOOPBACK)))
    copy.check_address(ipaddress.ip_address("127.0.0.1"))


def test_names_are_no_addresses() -> None:
    assert [literal(name) for name in ("camera", "3com", "a.b.c.d", "1.2.3.4.5", "0xzz", "999.1.1.1")] == [None] * 6
