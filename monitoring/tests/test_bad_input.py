"""What strangers' and members' odd requests get: a 4xx in the one shape, never a 500, and never their value back.

Elsewhere: what only the web server shows (test_raw_server), another practice's ids (test_scope, test_every_url), limits
in a minute and an hour (marb.access.tests.test_throttle), gzip, names and forms of uploads (marb.pipeline.tests),
formulas in exports (marb.core.tests.test_export), keys sent twice at once (marb.parties.tests.test_idempotency).
"""

import json

import pytest
from django.test import Client

from marb.access.models import Practice
from monitoring.tests.addresses import find_addresses
from monitoring.tests.house import House, build_house

NO_IDS = [
    *("-1", "0", "00", str(2**63), str(2**64), "9" * 400, "1.0", "1' OR 1=1--", "%00", "١", "1%0a", "abc", "+1", "1e3"),
]
NO_LIMITS = ["10000000", "1001", "0", "-1", "abc", "1e3", "١٢", "", "1.0", " 5", "%00"]
NO_CURSORS = [
    *("", "abc", "====", "W10=", "WzEsMiwzXQ==", "é", "%00", "A" * 10_000),
    # [false,null,9223372036854775808]
    "W2ZhbHNlLG51bGwsOTIyMzM3MjAzNjg1NDc3NTgwOF0=",
]
NO_QUERIES = [
    *("ordering=payer__user__password", "ordering=patient_last_name", "status__regex=(a%2B)%2B%24", "_connector=OR"),
    *("_negated=1", "practice__code=main", "status=nothing", "payer=1.0", f"payer={2**64}", "payer=%00", "file=-1"),
    *("control_number=%00", f"control_number={'A' * 10_000}", "service_from=2026-02-30", "service_from=abc"),
    *("created_from=99999-01-01", "is_clean=perhaps", "fields=password", "fields=", "fields=id,,id", "expand=nothing"),
    *("expand=", "claim_type=%3Cscript%3E", "frequency_code=11", "fields=practice_id", "fields=payer__name"),
]


@pytest.fixture
def house(practice: Practice) -> House:
    return build_house(practice, "HERON")


@pytest.fixture
def member(client: Client, administrator) -> Client:
    client.force_login(administrator)
    client.raise_request_exception = False
    return client


def refused(answer, *statuses: int) -> bool:
    body = json.loads(answer.content)
    return answer.status_code in statuses and set(body) == {"message", "code", "status_code", "details"}


@pytest.mark.parametrize("no_id", NO_IDS)
def test_what_is_no_id_is_404_at_every_address(no_id: str, member: Client, house: House) -> None:
    for address in find_addresses():
        for name in address.arguments:
            arguments = {**house.arguments(address.name, address.arguments), name: 77777}
            path = address.path(**arguments).replace("77777", no_id)
            assert refused(member.get(path), 404, 405), (path, member.get(path).content)


@pytest.mark.parametrize("limit", NO_LIMITS)
def test_a_limit_is_a_whole_number_from_1_to_1000(limit: str, member: Client, house: House) -> None:
    assert refused(member.get(f"/api/v1/claims/?limit={limit}"), 400)


@pytest.mark.parametrize("cursor", NO_CURSORS)
@pytest.mark.parametrize("ordering", ["-id", "-service_from_date"])
def test_a_cursor_that_was_not_handed_out_leads_nowhere(
    cursor: str, ordering: str, member: Client, house: House
) -> None:
    assert refused(member.get(f"/api/v1/claims/?ordering={ordering}&cursor={cursor}"), 400, 404)


@pytest.mark.parametrize("query", NO_QUERIES)
def test_only_named_filters_and_orders_are_taken(query: str, member: Client, house: House) -> None:
    answer = member.get(f"/api/v1/claims/?{query}")
    assert refused(answer, 400), answer.content
    assert "script" not in answer.content.decode()


def test_every_list_refuses_what_it_does_not_know(member: Client, house: House) -> None:
    for address in find_addresses():
        kind = address.name.split("-")[0]
        if kind in house.objects and not address.arguments:
            assert refused(member.get(address.path(), {"_connector": "OR"}), 400, 405), address.name


@pytest.mark.parametrize("moment", ["2026-01-01T00:00:00-18:46", "0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59Z"])
def test_every_moment_of_the_calendar_is_taken(moment: str, member: Client, house: House) -> None:
    for side in ("from", "to"):
        assert member.get(f"/api/v1/claims/?created_{side}={moment}").status_code == 200


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v2/claims/", "/api/v1/claims/%C2%84/", "/api/v1/x%00/"])
@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
def test_an_unknown_address_answers_json_to_everybody(path: str, method: str, client: Client, db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    assert refused(getattr(client, method)(path), 404)


def test_a_missing_slash_leads_to_the_address(client: Client, db: None) -> None:
    answer = client.get("/api/v1/claims?limit=1")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/api/v1/claims/?limit=1")
    assert client.post("/api/v1/files").status_code == 404
    assert client.get("/api/v1/nothing").status_code == 404


def test_a_parameter_without_a_value_is_400(member: Client, house: House) -> None:
    for query in ("service_from=", "control_number=", "cursor=", "limit=", "payer="):
        assert refused(member.get(f"/api/v1/claims/?{query}"), 400), query


BODIES = [
    ("application/json", b'{"ids": ', 400, "parse_error"),
    ("application/json", b'{"ids": [NaN]}', 400, "parse_error"),
    ("application/json", b'{"ids": [1], "ids": [2]}', 400, "parse_error"),
    ("application/json", b'{"ids": [' + b"9" * 5000 + b"]}", 400, "parse_error"),
    ("application/json", b'{"ids": [4.03e235]}', 400, "parse_error"),
    ("application/json", b'{"ids": [1e999]}', 400, "parse_error"),
    ("application/json", b'{"ids": [-9223372036854775809]}', 400, "parse_error"),
    ("application/json", b"[" * 100_000, 400, "parse_error"),
    ("application/json", b'{"a":' * 100_000, 400, "parse_error"),
    ("application/json; charset=utf-16", '{"ids": [1]}'.encode("utf-16"), 400, "parse_error"),
    ("application/json", b'{"ids": ["\\u0000"]}', 400, "parse_error"),
    ("application/json", b"\xff\xfe", 400, "parse_error"),
    ("application/json", b'{"ids": [' + b" " * 3_000_000 + b"1]}", 413, "too_large"),
    ("application/xml", b"<ids>1</ids>", 415, "unsupported_media_type"),
    ("text/plain", b"1", 415, "unsupported_media_type"),
    ("application/x-www-form-urlencoded", b"ids=1", 415, "unsupported_media_type"),
    ("multipart/form-data; boundary=x", b"--x--", 415, "unsupported_media_type"),
    ("", b'{"ids": [1]}', 415, "unsupported_media_type"),
]


@pytest.mark.parametrize(("content_type", "body", "status_code", "code"), BODIES)
def test_what_is_no_body_is_refused(
    content_type: str, body: bytes, status_code: int, code: str, member: Client, house: House
) -> None:
    answer = member.generic("POST", "/api/v1/claims/bulk/", body, content_type)
    assert refused(answer, status_code)
    assert answer.json()["code"] == code


def test_a_media_type_that_is_not_answered_is_406(member: Client, house: House) -> None:
    for path in ("claims/", f"claims/{house.objects['claim'].pk}/", "auth/me/", "health/"):
        assert refused(member.get(f"/api/v1/{path}", headers={"Accept": "application/xml"}), 406), path


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"])
def test_a_bulk_read_is_a_post_and_nothing_else(method: str, member: Client, house: House) -> None:
    assert refused(member.generic(method, "/api/v1/claims/bulk/?nothing=1"), 404, 405)


def test_a_wrong_host_is_400(member: Client) -> None:
    assert refused(member.get("/api/v1/claims/", headers={"Host": "elsewhere.example"}), 400)


def test_a_session_without_its_csrf_token_changes_nothing(biller, house: House) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(biller)
    answer = client.post(f"/api/v1/files/{house.objects['file'].pk}/cancel/")
    assert refused(answer, 403)


def test_a_wrong_choice_is_not_said_back(member: Client) -> None:
    answer = member.get("/api/v1/claims/?status=W123456789")
    assert answer.json()["details"] == {"status": ["Not one of the choices."]}


def test_an_unknown_address_of_the_api_answers_json(member: Client) -> None:
    assert refused(member.get("/api/v1/nothing/"), 404)


def test_a_method_that_is_not_there_is_405_and_cannot_be_smuggled(member: Client, house: House) -> None:
    path = f"/api/v1/claims/{house.objects['claim'].pk}/"
    assert refused(member.delete(path), 405)
    assert refused(member.options(path), 405)
    assert member.get(path, headers={"X-HTTP-Method-Override": "DELETE"}).status_code == 200


def test_a_failure_of_ours_says_nothing(member: Client, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("HERON")

    monkeypatch.setattr("marb.core.viewsets.ReadOnlyViewSet.show_row", fail)
    answer = member.get("/api/v1/claims/")
    assert refused(answer, 500)
    assert "HERON" not in answer.content.decode()


def test_answers_are_not_kept_by_anybody(member: Client, house: House) -> None:
    for path in ("/api/v1/claims/", "/api/v1/claims/0/"):
        assert "no-store" in member.get(path).headers["Cache-Control"]


FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n1\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\nISA\r\n'
FORMS = [
    (FORM, PART % b"a" * 10_000 + b"--x--\r\n"),
    (FORM, FILE % b"a" * 200 + b"--x--\r\n"),
    (FORM, b"--y\r\n\r\n--y--\r\n"),
    (FORM, b"\x00" * 1_000),
    (FORM, PART % b"file" + b"--x--\r\n"),
    ("multipart/form-data", b"--x--\r\n"),
    ("multipart/form-data; boundary=" + "x" * 10_000, b"--x--\r\n"),
    ("multipart/form-data; boundary=\x7f", b"--x--\r\n"),
    ("multipart/form-data; boundary=x; charset=nothing", PART % b"practice" + b"--x--\r\n"),
]


def test_a_form_that_is_none_is_refused(member: Client, house: House) -> None:
    for content_type, data in FORMS:
        answer = member.generic("POST", "/api/v1/files/", data, content_type, CONTENT_LENGTH=str(len(data)))
        assert refused(answer, 400, 411, 413, 415, 422), (content_type[:80], answer.content)


def test_an_upload_has_no_way_out_of_its_folder_by_its_name(member: Client, house: House) -> None:
    data = FILE % b"..%2f..%2fetc/../../passwd\\..\\x" + b"--x--\r\n"
    answer = member.generic("POST", "/api/v1/files/", data, FORM, CONTENT_LENGTH=str(len(data)))
    kept = member.get(f"/api/v1/files/{answer.json()['details']['id']}/").json()
    assert answer.status_code == 422
    assert kept["name"] == "x"


SEARCHES = [
    *("%00", "A" * 10_000, "a " * 5_000, "%ED%A0%80", "%E2%80%AE837", "%25", "_", "%5C"),
    *("%27%20OR%201=1--", "%3Cscript%3Ealert(1)%3C/script%3E", "%C0%AE", "٣"),
]


def test_no_search_of_the_admin_fails_or_says_it_back(member: Client, house: House) -> None:
    for page in ("claims/claim", "pipeline/edifile", "access/auditentry"):
        for search in SEARCHES:
            answer = member.get(f"/{page}/?q={search}")
            assert answer.status_code in (200, 400), (page, search)
            assert b"<script>alert" not in answer.content
            assert b"HERONA" not in answer.content


def test_another_origin_is_refused_though_it_knows_the_token(administrator, house: House) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator)
    client.get("/password_change/")
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value, "Origin": "https://evil.example"}
    answer = client.post(f"/api/v1/files/{house.objects['file'].pk}/cancel/", headers=headers)
    assert refused(answer, 403)


def test_a_session_that_is_over_is_401(member: Client, house: House) -> None:
    member.cookies["sessionid"] = "x" * 32
    assert refused(member.get("/api/v1/claims/"), 401)


def test_those_who_see_masked_rows_are_given_another_etag(client: Client, biller, auditor, house: House) -> None:
    path, tags = f"/api/v1/claims/{house.objects['claim'].pk}/", set()
    type(house.objects["claim"]).objects.update(subscriber_member_id="W123456789", subscriber_birth_date="1957-04-11")
    for person in (biller, auditor):
        client.force_login(person)
        tags.add(client.get(path).headers["ETag"])
    assert len(tags) == 2
    assert client.get(path, headers={"If-None-Match": tags.pop()}).status_code in (200, 304)
