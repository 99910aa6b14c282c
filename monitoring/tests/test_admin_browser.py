"""The main pages in a real Chromium: no script error, no violation of the content security policy, upload works."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from marb.pipeline.models import Chunk, EdiFile
from monitoring.room import figures
from monitoring.tests.measures import hand_on, sample, timing
from monitoring.tests.rows import HEAD_837, Rows, create_rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SECONDS = 60
HIDE = """
Object.defineProperty(document, "hidden", { value: true });
document.dispatchEvent(new Event("visibilitychange"));
"""


@pytest.fixture
def signed_in(chromium: Any, live_server: Any, biller: Any, password: str) -> Any:
    sign_in(chromium, live_server, biller.get_username(), password)
    return chromium


def sign_in(driver: Any, live_server: Any, name: str, password: str) -> None:
    driver.get(live_server.url + reverse("admin:login"))
    driver.find_element(By.NAME, "username").send_keys(name)
    driver.find_element(By.NAME, "password").send_keys(password)
    driver.find_element(By.NAME, "password").submit()
    WebDriverWait(driver, SECONDS).until(lambda found: "What to work on" in found.title)


def faults(driver: Any) -> list[str]:
    """Get what the console complains of since it was last asked."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def addresses(rows: Rows) -> list[str]:
    lists = ("claims_claim", "remits_remittance", "remits_payment", "episodes_episode", "pipeline_edifile")
    pages = {
        "claims_claim": rows.claims[1],
        "remits_remittance": rows.remittances[1],
        "remits_payment": rows.payment,
        "episodes_episode": rows.episodes[0],
        "pipeline_edifile": rows.claim_file,
        "parties_payer": rows.payers[0],
    }
    opened = [reverse(f"admin:{name}_change", args=[record.pk]) for name, record in pages.items()]
    plain = ("admin:index", "admin:pipeline_edifile_upload", "admin:parties_payer_changelist")
    return [*(reverse(f"admin:{name}_changelist") for name in lists), *opened, *(reverse(name) for name in plain)]


def test_the_main_pages_open_without_a_complaint_of_the_browser(
    signed_in: Any, live_server: Any, practice: Any
) -> None:
    for address in addresses(create_rows(practice)):
        signed_in.get(live_server.url + address)
        WebDriverWait(signed_in, SECONDS).until(lambda driver: driver.find_elements(By.ID, "main"))
        assert faults(signed_in) == [], address


def test_a_finding_opens_the_raw_segments_at_its_place(signed_in: Any, live_server: Any, practice: Any) -> None:
    claim = create_rows(practice).claims[1]
    signed_in.get(live_server.url + reverse("admin:claims_claim_change", args=[claim.pk]))
    signed_in.find_element(By.CSS_SELECTOR, "#findings a").click()
    segment = signed_in.find_element(By.ID, f"byte-{claim.byte_offset}")
    WebDriverWait(signed_in, SECONDS).until(lambda driver: segment.is_displayed())
    assert segment.text.endswith("CLM*PCN00001*185***11:B:1*Y*A*Y*Y")


def test_files_are_uploaded_one_by_one_with_a_sentence_each(
    signed_in: Any, live_server: Any, practice: Any, tmp_path: Path
) -> None:
    claims, picture = tmp_path / "march.837", tmp_path / "logo.png"
    claims.write_text(HEAD_837 + "SE*1*0001~GE*1*1~IEA*1*000000001~")
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    signed_in.get(live_server.url + reverse("admin:pipeline_edifile_upload"))
    signed_in.find_element(By.NAME, "file").send_keys(f"{claims}\n{picture}")
    WebDriverWait(signed_in, SECONDS).until(lambda driver: len(sentences(driver)) == 2)
    assert any("Received" in sentence for sentence in sentences(signed_in))
    assert any("PNG" in sentence for sentence in sentences(signed_in))
    assert faults(signed_in) == []
    assert set(EdiFile.objects.values_list("name", flat=True)) == {"march.837", "logo.png"}


def sentences(driver: Any) -> list[str]:
    """Get the finished answers on the upload page: those without a bar."""
    lines = driver.find_elements(By.CSS_SELECTOR, "#results li")
    return [line.text for line in lines if not line.find_elements(By.TAG_NAME, "progress")]


def test_a_running_files_page_follows_without_a_reload(signed_in: Any, live_server: Any, practice: Any) -> None:
    file = create_rows(practice).claim_file
    EdiFile.objects.filter(pk=file.pk).update(status="running", chunk_count=4, chunks_done=1)
    whole = Chunk.objects.get(file=file)
    whole.state = "done"
    whole.save()
    for _ in range(3):
        whole.pk, whole.seq, whole.state = None, whole.seq + 1, "waiting"
        whole.save()
    signed_in.get(live_server.url + reverse("admin:pipeline_edifile_change", args=[file.pk]))
    signed_in.execute_script("window.notReloaded = true")
    Chunk.objects.filter(file=file, state="waiting").exclude(pk=whole.pk).update(state="done")
    EdiFile.objects.filter(pk=file.pk).update(chunks_done=3, claim_count=1234)
    figure = signed_in.find_element(By.CSS_SELECTOR, "[data-figure=claim_count]")
    WebDriverWait(signed_in, SECONDS).until(lambda driver: figure.text == "1,234")
    assert signed_in.find_element(By.CSS_SELECTOR, "[data-percent]").text == "75"
    assert signed_in.execute_script("return window.notReloaded") is True
    EdiFile.objects.filter(pk=file.pk).update(status="accepted", chunks_done=4)
    WebDriverWait(signed_in, SECONDS).until(lambda driver: not driver.find_elements(By.TAG_NAME, "progress"))


def test_the_control_room_draws_its_charts_and_follows_its_range(
    chromium: Any, live_server: Any, django_user_model: Any, password: str, monkeypatch: Any
) -> None:
    # a slow machine answers late, and a slow answer is no fault here
    monkeypatch.setattr(figures, "PART_SECONDS", 600.0)
    monkeypatch.setattr(figures, "ANSWER_SECONDS", 600.0)
    django_user_model.objects.create_superuser("root", password=password)
    hand_on(timings=[timing("GET claim-list", [10_000] * 9)], samples=[sample("cpu_percent", 40, "box")])
    hand_on(token="b", timings=[timing("GET payer-list", [95_000])])
    sign_in(chromium, live_server, "root", password)
    chromium.get(live_server.url + reverse("admin:monitoring_process_room"))
    waiting = WebDriverWait(chromium, SECONDS)
    waiting.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, '[data-drawn="1h"]'))
    drawn = "return [...document.querySelectorAll('canvas')].filter((each) => Chart.getChart(each)).length"
    assert chromium.execute_script(drawn) >= 3
    assert column(chromium, "endpoints") == ["GET payer-list", "GET claim-list"]
    chromium.find_element(By.CSS_SELECTOR, '[data-table="endpoints"] th:nth-child(2) button').click()
    assert column(chromium, "endpoints") == ["GET claim-list", "GET payer-list"]
    chromium.find_element(By.CSS_SELECTOR, '[data-key="15m"]').click()
    waiting.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, '[data-drawn="15m"]'))
    assert column(chromium, "endpoints") == ["GET claim-list", "GET payer-list"]
    assert faults(chromium) == []
    # who does not look asks nothing: no question outlives the test
    chromium.execute_script(HIDE)
    waiting.until(lambda driver: not driver.find_elements(By.CSS_SELECTOR, "#room[aria-busy]"))
    assert "Resting" in chromium.find_element(By.CSS_SELECTOR, "[data-said]").text


def column(driver: Any, table: str) -> list[str]:
    """Get the first column of a table of the control room."""
    return [cell.text for cell in driver.find_elements(By.CSS_SELECTOR, f'[data-table="{table}"] td:first-child')]
