"""How connections are counted by address, and what was turned away is told."""

import pytest
from structlog.testing import capture_logs

from omni_core.adapters.telemetry.metrics import Metrics
from omni_core.bootstrap.settings.http import networks_of
from omni_http.door.addresses import Addresses
from omni_http.door.tally import EVERY_S, Tally

PUBLIC = "203.0.113.7"


def test_an_address_may_have_so_many_and_others_as_well() -> None:
    addresses = Addresses(2, ())
    assert [addresses.enter(PUBLIC) for _ in range(3)] == [True, True, False]
    assert addresses.enter("203.0.113.8")
    addresses.leave(PUBLIC)
    assert addresses.enter(PUBLIC)


def test_who_has_left_is_forgotten() -> None:
    addresses = Addresses(2, ())
    for number in range(100):
        addresses.enter(f"203.0.113.{number}")
        addresses.leave(f"203.0.113.{number}")
    assert len(addresses) == 0


@pytest.mark.parametrize(
    "first, second, are_one",
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.7", PUBLIC, True),
    ],
)
def test_addresses_of_one_owner_count_together(first: str, second: str, *, are_one: bool) -> None:
    addresses = Addresses(1, ())
    assert addresses.enter(first)
    assert addresses.enter(second) is not are_one


@pytest.mark.parametrize(
    "proxies, address, is_counted",
    [
        ("private", "127.0.0.1", False),
        ("private", "10.1.2.3", False),
        ("private", "::ffff:172.17.0.1", False),
        ("private", "fd00::1", False),
        ("private", PUBLIC, True),
        ("none", "127.0.0.1", True),
        ("203.0.113.0/24", PUBLIC, False),
        ("203.0.113.0/24", "127.0.0.1", True),
        ("private, 203.0.113.7", PUBLIC, False),
        ("private, 203.0.113.7", "127.0.0.1", False),
    ],
)
def test_proxies_are_not_counted(proxies: str, address: str, *, is_counted: bool) -> None:
    addresses = Addresses(1, networks_of(proxies))
    assert addresses.enter(address)
    assert addresses.enter(address) is not is_counted
    addresses.leave(address)
    assert len(addresses) == 0


def test_what_was_turned_away_is_told_now_and_then_in_one_entry() -> None:
    tally = Tally(Metrics())
    with capture_logs() as logs:
        tally.tell(100.0)
        tally.count("headers_too_large", PUBLIC)
        tally.tell(100.0)
        for number in range(5_000):
            tally.count("too_many_connections", f"2001:db8::{number}")
        tally.count("headers_too_large", "2001:db8::1")
        tally.tell(100.0 + EVERY_S - 1)
        tally.tell(100.0 + EVERY_S)
        tally.tell(100.0 + 2 * EVERY_S)
    first, second = logs
    assert first == {"event": "turned away", "log_level": "info", "headers_too_large": 1, "most_from": PUBLIC}
    assert (second["too_many_connections"], second["headers_too_large"]) == (5_000, 1)
    assert second["most_from"] == "2001:db8::1"
