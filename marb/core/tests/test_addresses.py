"""Addresses of the embedded services: free ports, kept passwords, a file for its owner only."""

import socket
import stat
from pathlib import Path

from marb.core.embedded import addresses
from marb.core.embedded.addresses import LOOPBACK, password_of, port_of


def test_the_first_start_writes_a_file_for_its_owner_only(tmp_path: Path):
    addresses.settle(tmp_path)
    assert stat.S_IMODE((tmp_path / "addresses.json").stat().st_mode) == 0o600


def test_without_a_file_the_addresses_point_nowhere(tmp_path: Path):
    found = addresses.read(tmp_path)
    assert {port_of(url) for url in found[:3]} == {9}
    assert len(found.secret_key) >= 50


def test_three_services_have_three_ports_and_three_passwords(tmp_path: Path):
    found = addresses.settle(tmp_path)
    assert len({port_of(url) for url in found[:3]}) == 3
    assert len({password_of(url) for url in found[:3]}) == 3
    assert min(len(password_of(url)) for url in found[:3]) >= 24


def test_a_later_start_keeps_what_was_chosen(tmp_path: Path):
    assert addresses.settle(tmp_path) == addresses.settle(tmp_path) == addresses.read(tmp_path)


def test_a_taken_port_is_chosen_again_and_its_password_kept(tmp_path: Path):
    before = addresses.settle(tmp_path)
    with socket.socket() as other:
        other.bind((LOOPBACK, port_of(before.broker_url)))
        other.listen()
        after = addresses.settle(tmp_path)
    assert port_of(after.broker_url) != port_of(before.broker_url)
    assert password_of(after.broker_url) == password_of(before.broker_url)
    assert (after.database_url, after.cache_url, after.secret_key) == (
        before.database_url,
        before.cache_url,
        before.secret_key,
    )


def test_a_port_is_taken_also_by_one_who_listens_everywhere():
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        assert not addresses.is_free(other.getsockname()[1])
