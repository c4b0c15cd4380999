import pytest

from notifiers.channels.address import LOOPBACK, is_allowed, networks


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_global_addresses_are_allowed(address: str) -> None:
    assert is_allowed(address, ())


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "100.100.100.200", "192.0.0.8", "192.0.0.9", "198.18.0.1", "224.0.0.1"),
        *("240.0.0.1", "255.255.255.255", "192.88.99.1", "203.0.113.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::", "2001::1", "100::1"),
        *("localhost", "", "1.2.3", "2130706433"),
    ],
)
def test_all_others_are_refused(address: str) -> None:
    assert not is_allowed(address, ())


def test_an_allowed_network_is_allowed_in_every_disguise() -> None:
    assert is_allowed("127.0.0.1", LOOPBACK)
    assert is_allowed("::ffff:127.0.0.1", LOOPBACK)
    assert is_allowed("::1", LOOPBACK)
    assert not is_allowed("10.0.0.1", LOOPBACK)
    assert is_allowed("10.0.0.1", networks(["10.0.0.0/8"]))
