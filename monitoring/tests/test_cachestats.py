"""/cache/stats/: what it counts, and who may see what."""

import pytest
from django.test import Client

from marb.core.cache.fill import Filled, fetch
from marb.core.cache.keys import want_row

URL = "/api/v1/cache/stats/"


@pytest.fixture
def readings(db: None) -> None:
    """Two hits and a miss of claim 17, a miss of episode 3."""
    for kind, pk, times in (("claim", 17, 3), ("episode", 3, 1)):
        for _ in range(times):
            fetch([want_row(kind, pk, 5, "full", (kind,))], lambda: Filled(b"{}", 5))


@pytest.fixture
def superuser(client: Client, django_user_model) -> Client:
    client.force_login(django_user_model.objects.create_superuser("root"))
    return client


def test_a_member_sees_the_counts_by_kind_and_no_key(client: Client, biller, readings: None) -> None:
    client.force_login(biller)
    shown = client.get(URL).json()
    assert shown["overall"] == {"hits": 2, "misses": 2, "total": 4, "hit_rate": 50.0, "target": 80}
    assert shown["by_kind"]["claim"] == {"hits": 2, "misses": 1, "total": 3, "hit_rate": 66.67, "target": 60}
    assert set(shown) == {"overall", "by_kind"}
    assert client.get(f"{URL}?key=claim:17").status_code == 403
    assert client.post(f"{URL}reset/").status_code == 403


def test_a_superuser_sees_the_busiest_keys_and_the_server(superuser: Client, readings: None) -> None:
    shown = superuser.get(URL).json()
    assert shown["by_key"] == {"claim:17": {"hits": 2, "misses": 1, "total": 3, "hit_rate": 66.67}}
    assert {"keyspace_hits", "used_memory"} <= set(shown["server"])
    assert superuser.get(f"{URL}?key=claim:17").json()["hits"] == 2
    assert superuser.get(f"{URL}?key=claim:99").json()["total"] == 0


def test_counting_begins_anew_for_a_key_or_for_all(superuser: Client, readings: None) -> None:
    assert superuser.post(f"{URL}reset/?key=claim:17").status_code == 204
    assert superuser.get(f"{URL}?key=claim:17").json()["total"] == 0
    assert superuser.get(URL).json()["overall"]["total"] == 4
    assert superuser.post(f"{URL}reset/").status_code == 204
    assert superuser.get(URL).json()["overall"]["total"] == 0


@pytest.mark.parametrize("query", ["?other=1", "?key=", f"?key={'k' * 201}", "?key=%00"])
def test_what_is_no_key_is_refused(query: str, superuser: Client) -> None:
    assert superuser.get(URL + query).status_code == 400
