"""Where Wayside may connect to: receivers and cameras, judged by the address a name resolves to, not by the name.

Registered addresses come from people with an account, and answers of other servers can point anywhere. Private networks are
normal here; this machine itself, link-local neighbours and the metadata services of clouds are not, unless they are listed.
Whoever connects asks with the resolved address at that very moment and connects to that address: a name that resolves to
something else a moment later (DNS rebinding) wins nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from actors.errors import ActorError

Address = IPv4Address | IPv6Address
SETTING = "outbound_allow"
LOOPBACK = ("127.0.0.0/8", "::1")  # what the demo and tests list

# Metadata services outside link-local: AWS (IPv6), Alibaba Cloud, Oracle Cloud, Azure's wire server. From the vendors' manuals.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")))
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "metadata"})
_SHARED = ipaddress.ip_network("100.64.0.0/10")  # carrier-grade NAT, RFC 6598
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_THIS = ipaddress.ip_network("0.0.0.0/8")  # RFC 6890; Linux connects 0.0.0.0 to itself


class AddressRefusedError(ActorError):
    """The outbound policy forbids the address. ``chinese`` and ``english`` say why and how to allow it."""

    def __init__(self, target: str, chinese: str, english: str) -> None:
        self.chinese = f"不允许连接 {target}: {chinese}; 如需允许, 请列入设置 {SETTING}"
        self.english = f"{target} must not be connected to: {english}; list it in the setting {SETTING} to allow it"
        super().__init__(f"{self.chinese} / {self.english}")


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboundPolicy:
    """The rules.

    Attributes:
        private: private networks (RFC 1918, fc00::/7, 100.64.0.0/10) are allowed.
        allowed: addresses, networks ("10.1.0.0/16") and host names ("localhost", "*.cameras.example") that are allowed
            whatever they are. A listed name may resolve to anything.
    """

    private: bool = True
    allowed: tuple[str, ...] = ()
    _networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = field(init=False, repr=False, compare=False)
    _names: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        networks, names = [], []
        for entry in self.allowed:
            try:
                networks.append(ipaddress.ip_network(entry.strip().strip("[]"), strict=False))
            except ValueError:
                names.append(_plain(entry))
        object.__setattr__(self, "_networks", tuple(networks))
        object.__setattr__(self, "_names", tuple(names))

    def check_host(self, host: str) -> None:
        """Judge a host as it is written: addresses in any notation and names known to be local. Resolves nothing.

        Raises:
            AddressRefusedError: it can be told without a name server that the host is not allowed.
        """
        name = _plain(host)
        if self._listed(name):
            return
        address = literal(name)
        if address is not None:
            self.check_address(address, host)
        elif name == "localhost" or name.endswith(".localhost"):
            self.checked(host, ["127.0.0.1", "::1"])
        elif name in _METADATA_NAMES:
            self.checked(host, ["169.254.169.254"])

    def check_address(self, address: Address, host: str = "") -> None:
        """Judge a resolved address. ``host``: the name it was resolved from.

        Raises:
            AddressRefusedError: not allowed.
        """
        if any(address in network or _inner(address) in network for network in self._networks):
            return
        wrong = self._wrong_with(_inner(address))
        if wrong is not None:
            shown = str(address) if host in ("", str(address)) else f"{host} ({address})"
            raise AddressRefusedError(shown, *wrong)

    def checked(self, host: str, found: Sequence[str]) -> list[str]:
        """Those of the addresses ``host`` resolved to that may be connected to, in their order.

        Raises:
            AddressRefusedError: none of them may.
        """
        if self._listed(_plain(host)):
            return list(found)
        good, refused = [], None
        for text in found:
            try:
                self.check_address(ipaddress.ip_address(text.partition("%")[0]), host)
                good.append(text)
            except AddressRefusedError as error:
                refused = refused or error
        if not good and refused is not None:
            raise refused
        return good

    def resolve(self, host: str, port: int) -> list[str]:
        """Addresses of ``host`` that may be connected to, in the system's order.

        Raises:
            AddressRefusedError: none of them may. OSError: the name cannot be resolved.
        """
        return self.checked(host, _addresses(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))

    async def resolve_async(self, host: str, port: int) -> list[str]:
        """See ``resolve``."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return self.checked(host, _addresses(found))

    def _listed(self, name: str) -> bool:
        return any(name == entry or (entry.startswith("*.") and name.endswith(entry[1:])) for entry in self._names)

    def _wrong_with(self, address: Address) -> tuple[str, str] | None:
        if address in _METADATA:
            return "云主机元数据服务", "it is a cloud's metadata service"
        if address.is_loopback or address.is_unspecified or address in _THIS:
            return "本机地址", "it is this machine"
        if address.is_link_local:
            return "链路本地地址", "it is a link-local address"
        if address.is_multicast or (isinstance(address, IPv4Address) and address.is_reserved):
            return "组播或保留地址", "it is a multicast or reserved address"
        if not self.private and not (address.is_global and address not in _SHARED):
            return "专用网络地址, 设置 outbound_private 不允许", "it is a private address and the setting outbound_private is off"
        return None


UNRESTRICTED = OutboundPolicy(allowed=("0.0.0.0/0", "::/0"))  # for the command line: whoever runs it can connect anyway


def literal(host: str) -> Address | None:
    """The address a host name is when it is no name: dotted, decimal, octal, hexadecimal or short IPv4 ("0x7f.1"), IPv6."""
    text = host.strip("[]").partition("%")[0]
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        pass
    parts = text.split(".")
    if 1 <= len(parts) <= 4 and all(part[:1].isdigit() and part.isascii() and part.isalnum() for part in parts):
        try:
            return IPv4Address(socket.inet_aton(text))  # the notations that the resolver of the system takes
        except OSError:
            return None
    return None


def _plain(host: str) -> str:
    return host.strip().strip("[]").rstrip(".").lower()


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        if int(address) >> 32 == 0 and int(address) > 1:  # ::127.0.0.1, long deprecated
            return IPv4Address(int(address))
    return address


def _addresses(found: Sequence[tuple[object, ...]]) -> list[str]:
    texts = [str(entry[4][0]).partition("%")[0] for entry in found]  # type: ignore[index]
    return list(dict.fromkeys(texts))
