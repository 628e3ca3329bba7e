"""Where a connection may go: allowed host names, and addresses that are really out there."""

from __future__ import annotations

import ipaddress
import socket
import threading
from dataclasses import dataclass

from crmsync.errors import ConfigError
from crmsync.model.text import Text

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(ConfigError):
    """The address must not be called; nothing was sent."""

    code = "ADDRESS"


class NameNotFound(OSError):
    """The host name could not be resolved in time."""


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Decides which hosts and addresses may be called.

    ``hosts`` are exact names, or suffixes written with a leading dot (``.zohoapis.eu``); empty
    means any name. ``allow_private`` opens loopback and private networks, never link-local,
    multicast or unspecified addresses.
    """

    hosts: tuple[str, ...] = ()
    allow_private: bool = False

    def check_host(self, host: str) -> None:
        """Raise AddressRefused unless the name is on the list."""
        name = host.rstrip(".").lower()
        if not self.hosts or any(_matches(name, allowed.lower()) for allowed in self.hosts):
            return
        raise AddressRefused(
            Text(
                zh=f"不允许访问主机 {name}：它不属于此连接的 CRM",
                en=f"host {name} may not be called: it does not belong to this connection's CRM",
            ),
            mend=Text(
                zh="请核对连接里的地址或数据中心。",
                en="Check the connection's address or data centre.",
            ),
        )

    def resolve(self, host: str, port: int, timeout: float) -> tuple[str, ...]:
        """The checked addresses of *host*, to be connected to as they are.

        Raises AddressRefused if any of them is not allowed (a name that points inside as well as
        outside is a trap), NameNotFound when the name does not resolve within *timeout* seconds.
        """
        addresses = _look_up(host, port, timeout)
        for address in addresses:
            if not self.permits(address):
                raise AddressRefused(
                    Text(
                        zh=f"{host} 指向本机或内网地址，已拒绝",
                        en=f"{host} points to a private or local address: refused",
                    ),
                    mend=Text(
                        zh="如果 CRM 确实在内网，请在该连接下写 allow_private: true。",
                        en="If the CRM really is in your own network, write allow_private: true "
                        "under that connection.",
                    ),
                )
        return addresses

    def permits(self, address: str) -> bool:
        """Whether this numeric address may be called."""
        try:
            found = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if found.is_multicast or found.is_unspecified or found.is_link_local:
            return False
        if self.allow_private:
            return found.is_global or found.is_private
        return found.is_global


def _matches(name: str, allowed: str) -> bool:
    return name.endswith(allowed) if allowed.startswith(".") else name == allowed


def _unwrapped(address: _Address) -> _Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address.teredo is not None:
        inner = address.teredo[1]
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def _look_up(host: str, port: int, timeout: float) -> tuple[str, ...]:
    # getaddrinfo knows no time limit: it gets a thread of its own that may be left waiting.
    found: list[str] = []
    failure: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(entry[4][0]) for entry in entries))
        except (OSError, UnicodeError) as problem:
            failure.append(problem)

    thread = threading.Thread(target=ask, name="crmsync-resolve", daemon=True)
    thread.start()
    thread.join(max(timeout, 0))
    if failure:
        raise NameNotFound(f"{host} does not resolve") from failure[0]
    if not found:
        raise NameNotFound(f"{host} did not resolve in time")
    return tuple(found)
