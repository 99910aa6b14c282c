"""Scoring of rows: the belt's stage, what-if, scrubbing and their addresses."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import call_command
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from claims.models import Claim, EditRule
from claims.tests.envelope import BILLING, CLAIM, LINE, SUBSCRIBER, file_text
from claims.tests.rows import create_claim, create_line
from marb.parties.tests.rows import create_payer
from marb.pipeline.jobs import FileJob
from marb.pipeline.tests.rows import create_chunk, create_file
from risk.facts import read_facts
from risk.models import DenialPattern, RiskRule, RiskScore, RuleSet
from risk.score import score_claims, score_file, score_practice
from risk.scrub import scrub
from risk.sections import draw_claim
from risk.weights import get_weights
from risk.whatif import NoSuchLine, ask

pytestmark = pytest.mark.django_db
GOOD: dict[str, Any] = {
    "frequency_code": "1",
    "place_of_service_code": "11",
    "assignment_code": "A",
    "payer_sequence_code": "P",
    "principal_diagnosis_code": "J209",
    "diagnosis_codes": ["J209"],
    "filing_indicator_code": "CI",
}


@pytest.fixture
def claims(practice) -> list[Any]:
    """A claim without fault, one without diagnoses, and one that repeats the first."""
    payer = create_payer(practice, "P1", payer_type="commercial")
    chunk = create_chunk(create_file(practice))
    changes: list[dict[str, Any]] = [{}, {"diagnosis_codes": [], "charge_amount": 9}, {}]
    made = [create_claim(chunk, 100 * at, payer=payer, **{**GOOD, **each}) for at, each in enumerate(changes, 1)]
    for claim in made:
        create_line(claim, revenue_code="", unit_count=1)
    return made


def newest(claim: Any) -> RiskScore:
    return RiskScore.objects.get(claim=claim, is_newest=True)


def rule_of(practice: Any, **columns: Any) -> RiskRule:
    condition = {"fact": "has_authorization", "op": "eq", "value": False}
    said = {"code": "own", "component": "authorization", "message": "None there.", "recommendation": "Get it."}
    return RiskRule(practice=practice, **{**said, "condition": condition, "points": 40, **columns})


def test_a_file_is_scored_once_and_a_second_run_writes_nothing(claims, practice):
    job = FileJob(practice.pk, claims[0].file_id, date(2026, 6, 30))
    assert score_file(job) == {"scored": 3}
    assert score_file(job) == {"scored": 0}
    assert [newest(claim).risk_level for claim in claims] == ["low", "critical", "high"]
    assert [factor["code"] for factor in newest(claims[2]).risk_factors] == ["duplicate-same"]
    assert newest(claims[2]).recommendations


def test_without_a_model_that_is_said_and_is_no_zero(claims, practice):
    score_practice(practice.pk)
    score = newest(claims[0])
    assert (score.model_version, score.historical_risk, score.model_confidence) == ("unavailable", None, None)


def test_a_changed_rule_makes_a_version_and_a_new_score_and_keeps_the_old_one(claims, practice):
    score_practice(practice.pk)
    rule_of(practice).save()
    assert score_practice(practice.pk, again=True).written == 3
    assert RiskScore.objects.filter(claim=claims[0]).count() == 2
    assert newest(claims[0]).authorization_risk == 40
    assert [each.version for each in RuleSet.objects.order_by("version")] == [1, 2]
    assert newest(claims[0]).rules_version == RuleSet.objects.get(version=2).digest[:12]


def test_a_rule_of_an_unknown_fact_is_told_and_the_rest_is_scored(claims, practice):
    rule_of(practice, condition={"fact": "moon", "op": "eq", "value": 1}).save()
    scored = score_practice(practice.pk)
    assert scored.claims == 3
    assert "moon" in scored.problems[0]


def test_a_rule_that_cannot_be_read_is_refused_at_its_field(practice):
    with pytest.raises(ValidationError) as refused:
        rule_of(practice, condition={"fact": "moon", "op": "eq", "value": 1}).full_clean()
    assert "There is no fact" in refused.value.message_dict["condition"][0]


def test_another_practices_claims_are_not_scored(claims, other_practice):
    assert score_claims(other_practice.pk, [claim.pk for claim in claims]).claims == 0
    assert not RiskScore.objects.exists()


def test_the_command_scores_what_has_no_score(claims, capsys):
    call_command("score")
    assert "3 claims, 3 scores written" in capsys.readouterr().out
    call_command("score", all=True)
    assert "3 claims, 0 scores written" in capsys.readouterr().out


def test_weights_that_do_not_sum_to_one_are_a_sentence(settings):
    settings.RISK_WEIGHTS = {"PAYER": "0.9"}
    with pytest.raises(ImproperlyConfigured, match=r"sum to 1\.800"):
        get_weights()
    settings.RISK_WEIGHTS = {"PAYER": "much"}
    with pytest.raises(ImproperlyConfigured, match="no number"):
        get_weights()


def test_what_if_scores_a_change_and_writes_nothing(claims, practice, django_assert_max_num_queries):
    rule_of(practice, is_critical=True).save()
    with django_assert_max_num_queries(8) as queries:
        found = ask(practice.pk, claims[0].pk, {"prior_authorization_number": "A1", "lines": [{"line_number": 1}]})
    assert (found.before.risk_level, found.after.risk_level) == ("critical", "low")
    assert not RiskScore.objects.exists()
    assert not any(query["sql"].startswith(("INSERT", "UPDATE", "DELETE")) for query in queries)
    with pytest.raises(NoSuchLine, match="no line 2"):
        ask(practice.pk, claims[0].pk, {"lines": [{"line_number": 2, "modifiers": []}]})


def test_the_facts_of_many_are_those_of_each(claims, monkeypatch):
    from django.db import connection

    ids = [claim.pk for claim in claims]
    with connection.cursor() as cursor:
        few = read_facts(cursor, ids)
        monkeypatch.setattr("risk.facts.MOST_GIVEN", 1)
        many = read_facts(cursor, ids)
    for name in few.__slots__:
        assert getattr(few, name).tolist() == getattr(many, name).tolist()
    assert few.is_duplicate.tolist() == [False, False, True]


def test_a_scrubbed_file_is_scored_and_nothing_is_stored(practice):
    text = file_text(BILLING, SUBSCRIBER, CLAIM, LINE, CLAIM, LINE, "CLM*BAD*x***11:B:1*Y*A*Y*Y~")
    found = scrub(practice.pk, text.encode(), date(2024, 1, 20))
    outcomes = [claim.outcome for claim in found.claims]
    assert [claim.patient_control_number for claim in found.claims] == ["PCN1", "PCN1", "BAD"]
    assert outcomes[2] is None
    assert found.claims[2].findings
    assert outcomes[1]
    assert "duplicate-same" in [reason.code for reason in outcomes[1].reasons]
    assert not RiskScore.objects.exists()


def test_a_scrubbed_claims_findings_weigh_as_its_payers_rules_say(practice):
    text = file_text(BILLING, SUBSCRIBER, CLAIM, LINE, CLAIM, LINE).encode()
    day = date(2024, 1, 20)
    codes = lambda: {each.code for claim in scrub(practice.pk, text, day).claims for each in claim.findings}  # noqa: E731
    assert "auth_number_missing" not in codes()
    EditRule.objects.create(practice=practice, code="auth_number_missing", level="C")
    assert "auth_number_missing" in codes()


def test_the_page_of_a_payer_shows_its_patterns(client: Client, administrator, practice):
    payer = create_payer(practice, "P1")
    place = reverse("admin:parties_payer_change", args=[payer.pk])
    client.force_login(administrator)
    assert "No denial pattern stands out at this payer." in client.get(place).content.decode()
    DenialPattern.objects.create(
        practice=practice, payer=payer, key="k1", pattern_type="procedure", conditions={"procedure_code": "99213"},
        pattern_description="Procedure 99213", line_count=300, occurrence_count=90, frequency=Decimal("0.3"),
        base_rate=Decimal("0.1"), lift=Decimal(3), confidence_score=Decimal("0.25"), p_value=0.001, q_value=0.01,
        denied_amount=Decimal(900), first_seen_date=date(2026, 1, 1), last_seen_date=date(2026, 2, 1),
    )  # fmt: skip
    assert "Procedure 99213" in client.get(place).content.decode()


def test_the_address_of_a_claims_risk_calculates_answers_and_asks_what_if(client: Client, biller, claims):
    client.force_login(biller)
    place = f"/api/v1/risk/{claims[0].pk}/"
    assert client.get(place).status_code == 404
    calculated = client.post(f"{place}calculate/")
    assert calculated.status_code == 200, calculated.content
    assert calculated.json()["overall_score"] == client.get(place).json()["overall_score"]
    asked = {"change": {"frequency_code": "7"}}
    answer = client.post(f"{place}what-if/", json.dumps(asked), "application/json").json()
    assert answer["after"]["risk_level"] == "critical"
    misspelt = client.post(f"{place}what-if/", json.dumps({"change": {"frequency": "7"}}), "application/json")
    assert misspelt.status_code == 400
    assert [row["claim"] for row in client.get("/api/v1/risk/?risk_level=low").json()["results"]] == [claims[0].pk]
    assert client.get("/api/v1/risk/?min_score=90").json()["results"] == []
    shown = client.get(f"/api/v1/claims/{claims[0].pk}/?expand=risk").json()
    assert shown["risk"]["risk_level"] == "low"


def test_the_address_of_scrubbing_answers_scores_or_a_sentence(client: Client, biller):
    client.force_login(biller)
    text = file_text(BILLING, SUBSCRIBER, CLAIM, LINE)
    answer = client.post("/api/v1/risk/scrub/", text, "application/octet-stream")
    assert answer.status_code == 200, answer.content
    assert answer.json()["claims"][0]["risk"]["risk_level"]
    refused = client.post("/api/v1/risk/scrub/", "hello", "application/octet-stream")
    assert refused.status_code == 400
    assert "file" in refused.content.decode()


def test_the_pages_show_reasons_what_if_and_a_scrubbed_file(client: Client, administrator, claims, practice):
    from django.core.files.uploadedfile import SimpleUploadedFile

    client.force_login(administrator)
    score_practice(practice.pk)
    score = newest(claims[2])
    assert "An earlier claim has the same" in client.get(f"/risk/riskscore/{score.pk}/change/").content.decode()
    assert "An earlier claim has the same" in render_to_string(*draw_claim(claims[2], HttpRequest()))
    assert "no risk score yet" in render_to_string(*draw_claim(Claim(pk=0), HttpRequest()))
    asked = client.post(f"/risk/riskscore/{score.pk}/what-if/", {"line_number": "9", "modifiers": "59"})
    assert "no line 9" in asked.content.decode()
    asked = client.post(f"/risk/riskscore/{score.pk}/what-if/", {"frequency_code": "7"})
    assert "As it would be" in asked.content.decode()
    file = SimpleUploadedFile("a.837", file_text(BILLING, SUBSCRIBER, CLAIM, LINE).encode())
    assert "PCN1" in client.post("/risk/riskscore/scrub/", {"file": file}).content.decode()
    client.get("/risk/riskrule/start-from-shipped", follow=True)
    assert RiskRule.objects.filter(practice=practice).count() > 20
