"""Models as rows: training on stored claims, use, refusal, rolling back, the API, the page, and decisions."""

import datetime
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

from claims.tests.rows import create_claim, create_line
from marb.access.models import Membership, Role
from marb.parties.tests.rows import create_payer
from marb.pipeline.tests.rows import create_chunk, create_file
from risk import model as denial
from risk.actors import score_waiting
from risk.decided import draw_decisions
from risk.facts import read_facts
from risk.features import DIGEST, NAMES, build
from risk.ledger import read_past
from risk.model import card, training
from risk.model.steering import Refused, activate, roll_back
from risk.models import AdjudicatedLine, RiskDecision, RiskModel
from risk.tests.test_model import rows, trained  # noqa: F401

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 1, 5)


def version_in_use(practice) -> str | None:
    model = denial.active(practice.pk)
    return model.version if model else None


@pytest.fixture
def chunk(practice):
    return create_chunk(create_file(practice, "a.837", kind="837"))


@pytest.fixture
def manager(client: Client, practice, django_user_model) -> Client:
    user = django_user_model.objects.create_user("manager", is_staff=True)
    Membership.objects.create(practice=practice, user=user, role=Role.MANAGER)
    client.force_login(user)
    return client


@pytest.fixture
def make(practice, trained):  # noqa: F811
    def make(version, **columns):
        parts = {"booster": trained.booster, "calibration": trained.calibration, "card": trained.card}
        return RiskModel.objects.create(
            **({"practice": practice, "version": version, "schema_digest": DIGEST} | parts | columns)
        )

    return make


def adjudicate(claim, line, day, *, is_denied):
    return AdjudicatedLine.objects.create(
        practice_id=claim.practice_id, claim=claim, service_line=line, remittance_id=1, payer=claim.payer,
        procedure_code=line.procedure_code, modifiers=line.modifiers, diagnosis="", place_of_service_code="11",
        claim_frequency="1", has_authorization=False, is_duplicate=False, days_to_submission=1,
        charge_amount=Decimal(120), service_date=DAY, submitted_date=DAY, adjudicated_date=day, is_denied=is_denied,
        denied_amount=Decimal(120) if is_denied else 0,
    )  # fmt: skip


def features_of(practice, claim):
    with connection.cursor() as cursor:
        return build(read_facts(cursor, [claim.pk]), read_past(cursor, practice.pk))


def test_moving_the_clock_leaves_a_claims_features_as_they_were(practice, chunk):
    payer = create_payer(practice, "P1")
    earlier, later, asked = (
        create_claim(chunk, offset, payer=payer, submitted_date=DAY + datetime.timedelta(days=30))
        for offset in (100, 200, 300)
    )
    lines = [create_line(claim) for claim in (earlier, later, asked)]
    adjudicate(earlier, lines[0], DAY + datetime.timedelta(days=20), is_denied=True)
    before = features_of(practice, asked)
    adjudicate(later, lines[1], DAY + datetime.timedelta(days=30), is_denied=True)
    adjudicate(asked, lines[2], DAY + datetime.timedelta(days=60), is_denied=True)
    assert np.array_equal(features_of(practice, asked), before, equal_nan=True)
    # what was decided before does count
    AdjudicatedLine.objects.filter(claim=earlier).update(is_denied=False, denied_amount=0)
    assert not np.array_equal(features_of(practice, asked), before, equal_nan=True)


def test_a_practice_without_answers_is_told_so(practice):
    outcome = training.train_practice(practice.pk)
    assert outcome.model is None
    assert outcome.sentence.startswith("0 claims have an outcome, and a model needs 500.")
    assert denial.active(practice.pk) is None
    assert denial.find(practice.pk).sentence == "No model is in use: scores go by the rules alone."


def test_a_model_in_use_scores_stored_claims(practice, chunk, make):
    claim = create_claim(chunk)
    create_line(claim)
    activate(make("m1"), None)
    model = denial.active(practice.pk)
    assert model
    assert model.version == "m1"
    assert denial.active(practice.pk) is model
    with connection.cursor() as cursor:
        batch = read_facts(cursor, [claim.pk])
    chances = model.predict(model.features(batch))
    assert chances.shape == (1,)
    assert 0 < chances[0] < 1
    names, added = model.contributions(model.features(batch), exact=True)
    assert names == NAMES
    assert added.shape == (1, len(NAMES))
    assert model.predict(model.features(batch)[:0]).shape == (0,)


def test_a_model_of_other_features_is_refused_and_said_plainly(practice, make):
    stranger = make("m1", schema_digest="0" * 64)
    with pytest.raises(Refused, match="trained on other features"):
        activate(stranger, None)
    RiskModel.objects.filter(pk=stranger.pk).update(state="active")
    found = denial.find(practice.pk)
    assert found.model is None
    assert "Model m1 was trained on other features" in found.sentence


def test_a_model_that_cannot_be_read_falls_back_to_rules(practice, make):
    make("m1", booster="no trees", state="active")
    found = denial.find(practice.pk)
    assert found.model is None
    assert "Model m1 cannot be read" in found.sentence


def test_rolling_back_puts_the_earlier_model_to_use_and_tells_it(practice, make):
    first, second = make("m1"), make("m2")
    activate(first, None, "first")
    activate(second, None, "second")
    assert version_in_use(practice) == "m2"
    assert roll_back(practice.pk, None, "worse than thought").pk == first.pk
    assert version_in_use(practice) == "m1"
    steps = list(first.changes.order_by("id").values_list("step", flat=True))
    assert steps == ["activated", "retired", "rolled_back"]
    first.refresh_from_db()
    with pytest.raises(Refused, match="in use already"):
        activate(first, None)


def test_rolling_back_twice_goes_two_models_back_and_no_further(practice, make):
    for version in ("m1", "m2", "m3"):
        activate(make(version), None)
    assert [roll_back(practice.pk, None).version for _ in range(2)] == ["m2", "m1"]
    with pytest.raises(Refused, match="no earlier model"):
        roll_back(practice.pk, None)
    assert version_in_use(practice) == "m1"


def test_claims_that_wait_are_scored_again_when_a_model_is_put_to_use(
    practice, make, monkeypatch, django_capture_on_commit_callbacks
):
    rung = []
    monkeypatch.setattr(score_waiting, "send", lambda *ids: rung.append(ids))
    with django_capture_on_commit_callbacks(execute=True):
        activate(make("m1"), None)
        activate(make("m2"), None)
        make("m3")
    assert set(rung) == {(practice.pk, None)}
    assert len(rung) == 2


def test_there_is_nothing_to_roll_back_to(practice, make):
    activate(make("m1"), None)
    with pytest.raises(Refused, match="no earlier model"):
        roll_back(practice.pk, None)
    assert version_in_use(practice) == "m1"


def test_a_model_is_used_only_if_it_beats_the_one_in_use(practice, monkeypatch, rows):  # noqa: F811
    monkeypatch.setattr(training, "read_rows", lambda *_: (rows, np.arange(len(rows.labels))))
    first = training.train_practice(practice.pk)
    assert first.model
    assert first.model.version == "m1"
    assert version_in_use(practice) == "m1"
    second = training.train_practice(practice.pk)
    assert second.model
    assert second.model.state == "refused"
    assert "is as good or better" in second.model.reason
    assert version_in_use(practice) == "m1"


def test_what_learns_nothing_beyond_the_payer_is_refused(practice, monkeypatch, rows):  # noqa: F811
    rng = np.random.default_rng(2)
    payer = NAMES.index("payer_rate")
    dull = np.full_like(rows.matrix, np.nan)
    dull[:, payer] = rng.normal(size=len(dull))
    labels = (rng.random(len(dull)) < card.logistic.sigmoid(-1 + dull[:, payer].astype(float))).astype(float)
    dull[: len(dull) // 2, payer] = 0
    poor = rows._replace(matrix=dull, labels=labels)
    monkeypatch.setattr(training, "read_rows", lambda *_: (poor, np.arange(len(labels))))
    outcome = training.train_practice(practice.pk)
    assert outcome.model is None or outcome.model.state == "refused"
    assert denial.active(practice.pk) is None


def test_the_api_lists_shows_and_puts_models_to_use(practice, manager, make):
    first, second = make("m1"), make("m2")
    activate(first, None)
    listed = manager.get("/api/v1/risk/models/").json()["results"]
    assert [row["version"] for row in listed] == ["m2", "m1"]
    assert "booster" not in listed[0]
    url = f"/api/v1/risk/models/{second.pk}/activate/"
    assert manager.post(url, {}, "application/json").status_code == 400
    answer = manager.post(url, {"reason": "better"}, "application/json")
    assert answer.status_code == 200
    assert answer.json()["state"] == "active"
    assert answer.json()["changes"][0] | {"changed_at": ""} == {
        "step": "activated", "reason": "better", "changed_at": "", "changed_by": "manager"
    }  # fmt: skip
    again = manager.post(url, {"reason": "better"}, "application/json")
    assert again.status_code == 409
    assert again.json()["message"] == "Model m2 is in use already."


def test_a_biller_may_decide_about_claims_and_not_about_models(practice, client, chunk, make, django_user_model):
    user = django_user_model.objects.create_user("biller", is_staff=True)
    Membership.objects.create(practice=practice, user=user, role=Role.BILLER)
    client.force_login(user)
    model, claim = make("m1"), create_claim(chunk)
    url = f"/api/v1/risk/models/{model.pk}/activate/"
    assert client.post(url, {"reason": "mine"}, "application/json").status_code == 403
    steer = reverse("admin:risk_riskmodel_steer", args=[model.pk, "activate"])
    assert client.post(steer, {"reason": "mine"}).status_code == 403
    decide = reverse("admin:claims_claim_decide", args=[claim.pk])
    client.post(decide, {"decision": "held", "reason": "Needs an authorization"})
    assert RiskDecision.objects.get().decision == "held"
    client.post(decide, {"decision": "burnt", "reason": "x"})
    client.post(decide, {"decision": "sent", "reason": " "})
    assert RiskDecision.objects.count() == 1
    request = RequestFactory().get("/")
    request.user = user
    text = render_to_string(*draw_decisions(claim, request), request)
    assert "Needs an authorization" in text
    assert "Held back" in text


def test_the_models_page_shows_figures_plots_and_decisions(practice, manager, make, chunk):
    claim = create_claim(chunk)
    adjudicate(claim, create_line(claim), DAY, is_denied=True)
    manager.post(reverse("admin:claims_claim_decide", args=[claim.pk]), {"decision": "sent", "reason": "Hurry"})
    first, second = make("m1"), make("m2")
    steer = "admin:risk_riskmodel_steer"
    manager.post(reverse(steer, args=[first.pk, "activate"]), {"reason": "First"})
    manager.post(reverse(steer, args=[second.pk, "activate"]), {"reason": "Better"})
    page = manager.get(reverse("admin:risk_riskmodel_change", args=[second.pk]))
    text = page.content.decode()
    assert "Roll back to m1" in text
    assert 'data-plot="reliability"' in text
    assert "Logistic regression" in text
    assert next(row for row in page.context["confusion"] if row.denied).decision == "Sent as it was"
    manager.post(reverse(steer, args=[second.pk, "roll-back"]))
    assert version_in_use(practice) == "m1"
    assert manager.get(reverse("admin:risk_riskmodel_changelist")).status_code == 200
    assert manager.get(reverse("admin:risk_riskdecision_changelist")).status_code == 200
