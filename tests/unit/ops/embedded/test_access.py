from ops.access import access_of
from ops.config_types import Address
from ops.services import LOOPBACK_NAMES
from ops.settings import Settings

TOKEN = "0123456789abcdef"


def test_on_loopback_the_names_are_ours_and_the_one_outside() -> None:
    assert access_of(Settings(), TOKEN).hosts == LOOPBACK_NAMES
    behind = access_of(Settings(external_url="https://tocsin.example.org:8443/a"), TOKEN)
    assert behind.hosts == LOOPBACK_NAMES | {"tocsin.example.org"}
    assert behind.origins == {"tocsin.example.org:8443"}
    assert not behind.guarded


def test_where_others_can_reach_it_any_name_will_do_and_nothing_goes_without_the_token() -> None:
    access = access_of(Settings(listen=Address("0.0.0.0", 8080), token=TOKEN), TOKEN)
    assert access.hosts == frozenset()
    assert access.guarded
