"""What people do about denials, in the API and the admin: who may, what is refused, and what is told of it."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from episodes.codes import words_of
from episodes.models import CodeKind, CodeList, DenialItem, DenialReason, DenialRecheck, Episode
from episodes.remap import find_unmapped, map_code
from episodes.resettle import find_waiting, resettle
from episodes.tests.rows import Files
from episodes.tests.test_link import ORIGINAL, claims, remittances, run
from episodes.tests.test_worklist import DENIAL
from marb.parties.models import Payer

pytestmark = pytest.mark.django_db
ACTIONS = ("assign", "start", "note", "resolve", "reopen")


@pytest.fixture
def item(practice) -> DenialItem:
    run(Files(practice), claims("c", ORIGINAL), remittances("r", DENIAL))
    return DenialItem.objects.get(practice=practice)


def post(client: Client, item: DenialItem, word: str, **data: Any) -> Any:
    return client.post(f"/api/v1/denials/{item.pk}/{word}/", data, content_type="application/json")


def test_a_denial_is_worked_on_from_the_list_to_its_end(client: Client, biller, manager, item) -> None:
    client.force_login(biller)
    (row,) = client.get("/api/v1/denials/?open=true").json()["results"]
    assert (row["carc_description"], row["denied_amount"]) == ("Not deemed medically necessary", "100.00")
    assert post(client, item, "start").json()["assignee"] == "biller"
    assert post(client, item, "note", text="Called the payer.").json()["status"] == "in_progress"
    assert post(client, item, "assign", user=manager.pk, text="Please sign.").json()["assignee"] == "manager"
    done = post(client, item, "resolve", resolution="appeal", text="Sent.").json()
    assert (done["status"], done["resolution"]) == ("resolved", "appeal")
    assert [(note["kind"], note["author"]) for note in done["notes"]] == [
        ("resolve", "biller"), ("assign", "biller"), ("note", "biller"), ("start", "biller"),
    ]  # fmt: skip
    # what was cached is not answered
    assert client.get("/api/v1/denials/?open=true").json()["results"] == []
    assert client.get(f"/api/v1/denials/{item.pk}/").json() == done
    assert post(client, item, "reopen").json()["status"] == "open"


def test_what_cannot_be_done_is_said_and_changes_nothing(client: Client, biller, item, other_practice) -> None:
    client.force_login(biller)
    DenialItem.objects.update(is_appealable=False)
    assert post(client, item, "resolve", resolution="appeal").status_code == 409
    assert post(client, item, "reopen").status_code == 409
    assert post(client, item, "assign", user=999_999).status_code == 400
    assert post(client, item, "note", text="x" * 2_001).status_code == 400
    assert post(client, item, "resolve", resolution="forget").status_code == 400
    DenialItem.objects.update(status="resolved", closed_by="paid")
    assert post(client, item, "reopen").status_code == 409
    assert not item.notes.exists()


def test_an_auditor_reads_and_does_nothing(client: Client, auditor, item) -> None:
    client.force_login(auditor)
    assert client.get(f"/api/v1/denials/{item.pk}/").status_code == 200
    for word in ACTIONS:
        assert post(client, item, word, text="x", user=None, resolution="appeal").status_code == 403, word
        page = reverse("admin:episodes_denialitem_order", args=[item.pk, word])
        assert client.post(page, {"text": "x"}).status_code == 403, word


def test_the_page_s_buttons_do_it_and_say_so(client: Client, biller, item) -> None:
    client.force_login(biller)
    page = reverse("admin:episodes_denialitem_change", args=[item.pk])
    for word, data in (("start", {}), ("note", {"text": "Called."}), ("resolve", {"resolution": "write_off"})):
        client.post(reverse("admin:episodes_denialitem_order", args=[item.pk, word]), data)
    text = client.get(page).content.decode()
    for said in ("Called.", "Written off", "Taken up", "CO-50", "Not deemed medically necessary", "biller"):
        assert said in text, said
    client.post(reverse("admin:episodes_denialitem_order", args=[item.pk, "resolve"]), {})
    assert DenialItem.objects.get().resolution == "write_off"


def test_the_list_shows_what_is_to_be_done_by_me_and_what_is_nobody_s(client: Client, biller, manager, item) -> None:
    client.force_login(biller)
    address = reverse("admin:episodes_denialitem_changelist")

    def count(query: str = "") -> int:
        return int(client.get(address + query).context["cl"].result_count)

    assert count() == 1
    DenialItem.objects.update(assignee=manager)
    assert (count(), count("?assignee=everybody")) == (0, 1)
    DenialItem.objects.update(status="resolved", assignee=None)
    assert (count(), count("?status=resolved"), count("?status=all")) == (0, 1, 1)


def test_the_lists_cost_a_fixed_number_of_queries(client: Client, biller, practice) -> None:
    client.force_login(biller)
    files = Files(practice)
    counts = []
    # what codes mean is read once
    words_of(CodeKind.CARC)
    for at in range(2):
        names = [f"P{at}{number}" for number in range(1 + 6 * at)]
        run(files, claims(f"c{at}", *({"patient_control_number": name} for name in names)))
        run(files, remittances(f"r{at}", *(DENIAL | {"patient_control_number": name} for name in names)))
        for address in (reverse("admin:episodes_denialitem_changelist"), "/api/v1/denials/"):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            counts.append(len(captured))
    assert counts[:2] == counts[2:]
    assert counts[0] <= 14
    assert counts[1] <= 6


def test_a_code_that_nobody_mapped_surfaces_and_is_mapped_with_one_click(client: Client, manager, practice) -> None:
    client.force_login(manager)
    run(
        Files(practice),
        claims("c", ORIGINAL),
        remittances("r", DENIAL | {"adjustments": {"CO-X9": "90", "CO-45": "10"}}),
    )
    assert not DenialItem.objects.exists()
    page = reverse("admin:episodes_denialreason_unmapped")
    text = client.get(page).content.decode()
    assert "CO-X9" in text
    assert "CO-45" not in text
    (code,) = find_unmapped(practice.pk)
    assert (code.carc, code.times, code.amount, str(code.first_date)) == ("X9", 1, 90, "2026-02-01")
    client.post(page, {"practice": practice.pk, "group_code": "CO", "carc": "X9", "category": "bundling"})
    assert find_unmapped(practice.pk) == []
    assert find_waiting() == [practice.pk]
    assert resettle(practice.pk) == 1
    assert (Episode.objects.get().status, DenialItem.objects.get().strategy) == ("denied", "CORRECT_AND_RESUBMIT")
    assert not DenialRecheck.objects.exists()


def test_who_may_not_change_parties_maps_nothing(client: Client, biller, practice, other_practice) -> None:
    client.force_login(biller)
    data = {"group_code": "CO", "carc": "X9", "category": "bundling"}
    for each in (practice, other_practice):
        page = reverse("admin:episodes_denialreason_unmapped")
        assert client.post(page, data | {"practice": each.pk}).status_code == 403
    assert not DenialReason.objects.filter(carc="X9").exists()


def test_a_reason_that_is_no_denial_any_more_takes_its_items_along_unless_people_worked_on_them(
    practice, biller, item
) -> None:
    map_code(practice.pk, "", "50", "contractual")
    resettle(practice.pk)
    assert not DenialItem.objects.exists()
    assert Episode.objects.get().status == "complete"
    map_code(practice.pk, "", "50", "coding")
    resettle(practice.pk)
    again = DenialItem.objects.get()
    again.notes.create(practice=practice, author=biller, text="Called.")
    map_code(practice.pk, "", "50", "contractual")
    resettle(practice.pk)
    again.refresh_from_db()
    assert (again.status, again.closed_by) == ("resolved", "mapped")


def test_the_form_of_a_meaning_is_saved_for_one_s_own_practice(client: Client, manager, practice, item) -> None:
    client.force_login(manager)
    fields = {"practice": practice.pk, "carc": "50", "category": "contractual", "group_code": "", "rarc": ""}
    assert client.post(reverse("admin:episodes_denialreason_add"), fields).status_code == 302
    assert find_waiting() == [practice.pk]
    shipped = DenialReason.objects.get(practice=None, carc="29")
    assert client.post(reverse("admin:episodes_denialreason_change", args=[shipped.pk]), fields).status_code == 403
    assert client.post(reverse("admin:episodes_denialreason_add"), {"carc": "51"}).status_code == 200
    assert not DenialReason.objects.filter(carc="51").exists()


def test_a_payer_s_days_move_its_deadlines(client: Client, manager, practice, item) -> None:
    client.force_login(manager)
    payer = Payer.objects.get(practice=practice)
    assert client.get(f"/api/v1/denials/{item.pk}/").json()["deadline_date"] is None
    client.patch(f"/api/v1/payers/{payer.pk}/", {"appeal_days": 30}, content_type="application/json")
    assert client.get(f"/api/v1/denials/{item.pk}/").json()["deadline_date"] == "2026-03-03"


LIST = """Some list

Code,Description,Start Date,Stop Date
50,Own words.,01/01/1995,
X9,Text of X9,,2020-01-31
,note,,
"""


def test_a_code_list_is_loaded_again_and_shown(client: Client, biller, item, tmp_path) -> None:
    client.force_login(biller)
    client.get(f"/api/v1/denials/{item.pk}/")
    path = tmp_path / "carc.csv"
    for text in (LIST, LIST.replace("Own words", "Other words").replace(",", "\t")):
        path.write_text(text)
        call_command("load_codes", "carc", str(path), verbosity=0)
    rows = CodeList.objects.values_list("code", "description", "start_date__year", "end_date__year")
    assert list(rows) == [("50", "Other words.", 1995, None), ("X9", "Text of X9", None, 2020)]
    assert client.get(f"/api/v1/denials/{item.pk}/").json()["carc_description"] == "Other words."


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "Code,Description\n"])
def test_a_file_that_is_no_list_loads_nothing(text: str, tmp_path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(CommandError, match="Nothing was loaded"):
        call_command("load_codes", "rarc", str(path))
    assert not CodeList.objects.exists()
