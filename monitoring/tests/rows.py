"""Rows for tests of pages: a small practice with files, claims, remittances, episodes and their faults, by the ORM.

Every text of a practice carries its mark, so that a test can look for it where it must not be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pyzstd
from django.contrib.auth import get_user_model

from claims.models import Claim, Contract, ContractFee, EditRule, FeeModifier, ServiceLine
from episodes.models import DenialReason, Episode, EpisodeClaim, EpisodeRemittance, LinkChange
from episodes.rollups import MonthSum
from episodes.tests.links import create_denial, create_hold
from episodes.underpaid import Tolerance, UnderpaidChange, UnderpaidLine
from marb.access.models import Practice
from marb.access.trail import store
from marb.parties.models import Payer, Plan, Provider
from marb.pipeline.models import Chunk, EdiFile, FileBlock, Finding, Quarantine, TransactionSet
from remits.models import Adjustment, Payment, ProviderAdjustment, Remittance, RemittanceLine
from risk.models import (
    DenialPattern,
    RiskDecision,
    RiskModel,
    RiskModelChange,
    RiskRule,
    RiskScore,
    RuleSet,
)

FIRST_DAY = date(2026, 3, 2)
HEAD_837 = (
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260302*1200*^*00501*000000001*0*P*:~"
    "GS*HC*SENDER*RECEIVER*20260302*1200*1*X*005010X222A1~ST*837*0001*005010X222A1~"
)
HEAD_835 = HEAD_837.replace("*HC*", "*HP*").replace("837*0001*005010X222A1", "835*0001")


@dataclass
class Rows:
    """What was made for one practice."""

    practice: Practice
    mark: str
    payers: list[Payer]
    plan: Plan
    provider: Provider
    claim_file: EdiFile
    remittance_file: EdiFile
    quarantine: Quarantine
    claims: list[Claim]
    payment: Payment
    remittances: list[Remittance]
    episodes: list[Episode]
    score: RiskScore
    pattern: DenialPattern


def create_rows(practice: Practice, mark: str = "", count: int = 3) -> Rows:
    """Make `count` claims, each with a remittance and an episode; every third remittance does not balance."""
    payers = [create_payer(practice, name, mark) for name in ("Medicare Part B", "Blue Ridge Health", "Acme Benefit")]
    plan = Plan.objects.create(practice=practice, payer=payers[1], plan_code=f"PPO{mark}", plan_name=f"Gold PPO {mark}")
    name = f"Harbor Family Medicine {mark}".strip()
    provider = Provider.objects.create(practice=practice, provider_code=f"123{mark}", npi="1234567893", name=name)
    texts = [claim_text(number, mark) for number in range(count)]
    claim_file, chunk, offsets = create_file(practice, f"claims-{mark}.837", "837P", HEAD_837, [*texts, broken(mark)])
    claims = [
        create_claim(number, mark, claim_file, chunk, payers[number % 3], provider, offsets[number])
        for number in range(count)
    ]
    held = create_quarantine(claim_file, chunk, offsets[count], mark)
    remittance_file, payment, remittances = create_remittances(practice, payers[0], claims, mark)
    episodes = [create_episode(*pair) for pair in zip(claims, remittances, strict=True)]
    score, pattern = create_risk(claims[0], payers[0], mark)
    create_contract(payers[0], mark)
    create_underpaid(claims[0], remittances[0], mark)
    create_change(claims[0], remittances[0], mark)
    create_hold(payment, mark)
    create_audit_entry(practice, mark)
    create_denials(episodes[0], remittances[0], payers[0])
    made = (claims, payment, remittances, episodes, score, pattern)
    return Rows(practice, mark, payers, plan, provider, claim_file, remittance_file, held, *made)


def create_payer(practice: Practice, name: str, mark: str) -> Payer:
    code = f"{name[:5].upper().strip()}{mark}"
    return Payer.objects.create(practice=practice, payer_code=code, name=f"{name} {mark}".strip())


def create_change(claim: Claim, remittance: Remittance, mark: str) -> None:
    """Tell of a person who linked a remittance."""
    person, _ = get_user_model().objects.get_or_create(username=f"linker{mark}")
    said = {"reason": f"Called the payer {mark}".strip(), "changed_by": person, "action": "link"}
    LinkChange.objects.create(practice=claim.practice, remittance=remittance, claim=claim, **said)


def create_audit_entry(practice: Practice, mark: str) -> None:
    """Record, the only way there is, that somebody read something."""
    words = ("claim", "read", f"claim{mark}-detail", "GET")
    entry: list[Any] = [datetime.now(UTC), practice.pk, None, f"reader{mark}", *words, [1], {}, 200, "127.0.0.1", mark]
    assert store([entry])


def create_denials(episode: Episode, remittance: Remittance, payer: Payer) -> None:
    """Make a denial to work on, and a meaning of the practice's own."""
    create_denial(episode, remittance, payer=payer, deadline_date=FIRST_DAY, deadline_basis="appeal_days")
    own: dict[str, Any] = {"practice": episode.practice, "carc": "242", "category": "other", "strategy": "APPEAL"}
    DenialReason.objects.get_or_create(**own)


def create_underpaid(claim: Claim, remittance: Remittance, mark: str) -> UnderpaidLine:
    """Make an underpaid line that somebody disputed, what is tolerated of its payer, and the month's sums of both."""
    place = {"practice": claim.practice, "payer": claim.payer}
    person, _ = get_user_model().objects.get_or_create(username=f"disputer{mark}")
    Tolerance.objects.create(**place, amount=Decimal("2.00"))
    MonthSum.objects.create(**place, provider=claim.billing_provider, month=FIRST_DAY.replace(day=1), claim_count=3)
    amounts = {"charge_amount": 125, "expected_amount": 90, "allowed_amount": 80, "paid_amount": 64}
    line = UnderpaidLine.objects.create(
        **place, **amounts, variance_amount=10, claim=claim, remittance=remittance, service_line=claim.lines.all()[0],
        procedure_code=f"99214{mark}", paid_on=FIRST_DAY, month=FIRST_DAY.replace(day=1), status="disputed",
        assigned_to=person,
    )  # fmt: skip
    said = {"reason": f"Sent the contract {mark}".strip(), "changed_by": person, "previous_status": "open"}
    UnderpaidChange.objects.create(practice=claim.practice, line=line, status="disputed", **said)
    return line


def create_contract(payer: Payer, mark: str) -> None:
    """Make a contract with a fee and a modifier rule of its own, a rule for everybody, and one of an edit."""
    about = {"practice": payer.practice, "payer": payer, "name": f"Agreement {mark}".strip(), "basis": "own"}
    contract = Contract.objects.create(**about, effective_from_date=FIRST_DAY)
    ContractFee.objects.create(contract=contract, procedure_code="99214", amount=Decimal("90.00"))
    FeeModifier.objects.create(contract=contract, modifier="52", effect="percent", percent=40)
    FeeModifier.objects.get_or_create(contract=None, modifier="53", effect="row")
    EditRule.objects.create(practice=payer.practice, payer=payer, code="timely_filing", level="W", limit=90)


def claim_text(number: int, mark: str) -> str:
    return (
        f"CLM*PCN{mark}{number:05}*185***11:B:1*Y*A*Y*Y~REF*D9*TRACE{mark}{number}~HI*ABK:E119*ABF:I10*ABF:Z794~"
        f"LX*1~SV1*HC:99214:25*125*UN*1***1:2~DTP*472*D8*20260302~REF*6R*{number}A~"
        f"LX*2~SV1*HC:83036*60*UN*1***1~DTP*472*D8*20260302~REF*6R*{number}B~"
    )


def broken(mark: str) -> str:
    return f"CLM*BAD{mark}*12X4.00***11:B:1*Y*A*Y*Y~HI*ABK:J069~LX*1~SV1*HC:99213*12X4.00*UN*1***1~"


def create_file(
    practice: Practice, name: str, kind: str, head: str, texts: list[str]
) -> tuple[EdiFile, Chunk, list[tuple[int, int]]]:
    """Store a file whose body is `texts` one after another; answer the byte range of each."""
    content = (head + "".join(texts) + "SE*1*0001~GE*1*1~IEA*1*000000001~").encode()
    taken = {"claim_count": len(texts) - 1, "claims_quarantined": 1, "scan_claim_count": len(texts)}
    counts = taken if kind != "835" else {"remittance_count": len(texts), "scan_remittance_count": len(texts)}
    file = EdiFile.objects.create(
        practice=practice,
        sha256=sha256(content).hexdigest(),
        name=name,
        byte_count=len(content),
        kind=kind,
        status="partial" if kind != "835" else "accepted",
        reason="One claim could not be read and is kept aside." if kind != "835" else "",
        **counts,
    )
    FileBlock.objects.create(file=file, byte_from=0, byte_count=len(content), content=pyzstd.compress(content))
    chunk = Chunk.objects.create(
        practice=practice, file=file, seq=0, kind=kind[:3], byte_from=0, byte_to=len(content), separators="*:^~"
    )
    TransactionSet.objects.create(
        practice=practice, file=file, byte_from=len(head), byte_to=len(content), set_code=kind[:3], status="accepted"
    )
    return file, chunk, list(ranges(len(head), texts))


def ranges(offset: int, texts: list[str]) -> Iterator[tuple[int, int]]:
    for text in texts:
        yield offset, offset + len(text.encode())
        offset += len(text.encode())


def create_claim(
    number: int, mark: str, file: EdiFile, chunk: Chunk, payer: Payer, provider: Provider, place: tuple[int, int]
) -> Claim:
    names = ("Abernathy", "Okonkwo", "Delacroix", "Yamamoto", "Petersen")
    day = FIRST_DAY + timedelta(days=number)
    is_clean = number % 3 != 1
    claim = Claim.objects.create(
        practice_id=file.practice_id,
        file=file,
        chunk=chunk,
        byte_offset=place[0],
        byte_end=place[1],
        segment_position=12 + 11 * number,
        set_control="0001",
        claim_type="P",
        guide="005010X222A1",
        status="processed" if is_clean else "incomplete",
        finding_count=0 if is_clean else 1,
        patient_control_number=f"PCN{mark}{number:05}",
        charge_amount=Decimal("185.00"),
        line_count=2,
        place_of_service_code="11",
        facility_code_qualifier="B",
        frequency_code="1",
        assignment_code="A",
        payer=payer,
        billing_provider=provider,
        payer_sequence_code="P",
        filing_indicator_code="MB",
        group_number=f"GRP{mark}",
        subscriber_member_id=f"MEM{mark}{number:06}",
        subscriber_last_name=f"{names[number % 5]}{mark}",
        subscriber_first_name=f"Rosalind{mark}",
        patient_relationship_code="18",
        patient_last_name=f"{names[number % 5]}{mark}",
        patient_first_name=f"Rosalind{mark}",
        patient_birth_date=date(1957, 4, 11),
        patient_gender_code="F",
        service_from_date=day,
        service_to_date=day,
        principal_diagnosis_code="E119",
        diagnosis_codes=["E119", "I10", "Z794"],
        diagnoses=[
            {"qualifier": "ABK", "code": "E119"},
            {"qualifier": "ABF", "code": "I10"},
            {"qualifier": "ABF", "code": "Z794"},
        ],
        providers=[
            {"loop": "2010AA", "role": "85", "last_name": f"Harbor Family Medicine {mark}", "npi": "1234567893"},
            {"loop": "2310B", "role": "82", "last_name": "Nguyen", "first_name": f"Linh {mark}", "npi": "1346267893"},
        ],
        detail={
            "references": [{"qualifier": "D9", "value": f"TRACE{mark}{number}"}],
            "dates": [{"qualifier": "431", "value": "20260225"}],
            "notes": [{"qualifier": "ADD", "text": f"FOLLOW UP {mark}"}],
        },
    )
    create_lines(claim, number)
    if not is_clean:
        create_finding(
            file, chunk, place[0], "EDIT", "charge_sum", "C", "The lines add up to $180.00, the claim to $185.00."
        )
    return claim


def create_lines(claim: Claim, number: int) -> None:
    lines = [("99214", ["25"], "125.00", [1, 2]), ("83036", [], "60.00", [1])]
    for index, (code, modifiers, charge, pointers) in enumerate(lines, start=1):
        ServiceLine.objects.create(
            practice_id=claim.practice_id,
            claim=claim,
            line_number=index,
            byte_offset=claim.byte_offset,
            procedure_qualifier="HC",
            procedure_code=code,
            modifiers=modifiers,
            charge_amount=Decimal(charge),
            unit_code="UN",
            unit_count=1,
            diagnosis_pointers=pointers,
            service_from_date=claim.service_from_date,
            service_to_date=claim.service_to_date,
            line_control_number=f"{number}{'AB'[index - 1]}",
        )


def create_finding(
    file: EdiFile, chunk: Chunk, offset: int, code_set: str, code: str, level: str, message: str
) -> None:
    Finding.objects.create(
        practice_id=file.practice_id,
        file=file,
        chunk=chunk,
        level=level,
        code_set=code_set,
        code=code,
        message=message,
        byte_offset=offset,
        segment_position=12,
        segment_id="CLM",
        loop="2300",
        element=2,
        claim_offset=offset,
    )
    EdiFile.objects.filter(pk=file.pk).update(finding_count=file.findings.count())


def create_quarantine(file: EdiFile, chunk: Chunk, place: tuple[int, int], mark: str) -> Quarantine:
    create_finding(file, chunk, place[0], "IK403", "6", "C", "The claim's charge is not an amount.")
    return Quarantine.objects.create(
        practice_id=file.practice_id,
        file=file,
        chunk=chunk,
        byte_from=place[0],
        byte_to=place[1],
        segment_position=90,
        control_number=f"BAD{mark}",
    )


def create_remittances(
    practice: Practice, payer: Payer, claims: list[Claim], mark: str
) -> tuple[EdiFile, Payment, list[Remittance]]:
    texts = [
        f"CLP*{claim.patient_control_number}*1*185*{80 if number % 3 else 82.36}*20.59*MB*ICN{mark}{number}~"
        f"SVC*HC:99214:25*125*62.36**1~CAS*CO*45*42.05~CAS*PR*2*20.59~SVC*HC:83036*60*20**1~CAS*CO*45*40~"
        for number, claim in enumerate(claims)
    ]
    file, chunk, places = create_file(practice, f"remits-{mark}.835", "835", HEAD_835, texts)
    payment = Payment.objects.create(
        practice=practice,
        file=file,
        byte_offset=200,
        set_control="0001",
        guide="005010X221A1",
        payer=payer,
        payer_name=payer.name,
        payee_name=f"Harbor Family Medicine {mark}",
        payee_npi="1234567893",
        handling_code="I",
        payment_amount=Decimal("230.00"),
        credit_debit_code="C",
        method_code="ACH",
        payment_date=FIRST_DAY + timedelta(days=21),
        trace_number=f"EFT{mark}8812",
        claim_paid_amount=Decimal("247.08"),
        provider_adjustment_amount=Decimal("12.08"),
        difference_amount=Decimal("-5.00"),
    )
    ProviderAdjustment.objects.create(
        practice=practice,
        payment=payment,
        byte_offset=300,
        seq=0,
        provider_code="1234567893",
        fiscal_date=date(2026, 12, 31),
        reason_code="WO",
        reference_number=f"OVER{mark}",
        amount=Decimal("12.08"),
    )
    made = [
        create_remittance(number, mark, file, chunk, payment, claim, places[number])
        for number, claim in enumerate(claims)
    ]
    return file, payment, made


def create_remittance(
    number: int, mark: str, file: EdiFile, chunk: Chunk, payment: Payment, claim: Claim, place: tuple[int, int]
) -> Remittance:
    off = Decimal("0.00") if number % 3 == 0 else Decimal("2.36")
    paid = Decimal("82.36") - off
    remittance = Remittance.objects.create(
        practice_id=file.practice_id,
        payment=payment,
        file=file,
        chunk=chunk,
        byte_offset=place[0],
        byte_end=place[1],
        segment_position=14 + 6 * number,
        status="error" if off else "processed",
        payer=payment.payer,
        patient_control_number=claim.patient_control_number,
        claim_status_code="1",
        charge_amount=claim.charge_amount,
        paid_amount=paid,
        patient_responsibility_amount=Decimal("20.59"),
        filing_indicator_code="MB",
        payer_claim_control_number=f"ICN{mark}{number}",
        patient_last_name=claim.patient_last_name,
        patient_first_name=claim.patient_first_name,
        member_id=claim.subscriber_member_id,
        service_from_date=claim.service_from_date,
        line_count=2,
        allowed_amount=Decimal("102.95"),
        adjustment_amount=Decimal("102.64"),
        claim_difference_amount=off,
        line_difference_amount=Decimal(0),
    )
    create_remittance_lines(remittance)
    return remittance


def create_remittance_lines(remittance: Remittance) -> None:
    lines: list[tuple[str, str, str, list[tuple[str, str, str]]]] = [
        ("99214", "125.00", "62.36", [("CO", "45", "42.05"), ("PR", "2", "20.59")]),
        ("83036", "60.00", "20.00", [("CO", "45", "40.00")]),
    ]
    seq = 0
    for index, (code, charge, paid, adjustments) in enumerate(lines, start=1):
        line = RemittanceLine.objects.create(
            practice_id=remittance.practice_id,
            remittance=remittance,
            line_number=index,
            byte_offset=remittance.byte_offset,
            procedure_qualifier="HC",
            procedure_code=code,
            charge_amount=Decimal(charge),
            paid_amount=Decimal(paid),
            unit_count=1,
            service_from_date=remittance.service_from_date,
            difference_amount=Decimal(0),
            remark_codes=["N130"] if index == 2 else [],
        )
        for group, carc, amount in adjustments:
            create_adjustment(remittance, line, seq, group, carc, amount)
            seq += 1


def create_adjustment(remittance: Remittance, line: Any, seq: int, group: str, carc: str, amount: str) -> None:
    Adjustment.objects.create(
        practice_id=remittance.practice_id,
        remittance=remittance,
        line=line,
        seq=seq,
        group_code=group,
        carc=carc,
        amount=Decimal(amount),
    )


def create_episode(claim: Claim, remittance: Remittance) -> Episode:
    practice_id = claim.practice_id
    episode = Episode.objects.create(
        practice_id=practice_id,
        claim=claim,
        status="linked",
        charge_amount=claim.charge_amount,
        paid_amount=remittance.paid_amount,
        adjustment_amount=remittance.adjustment_amount,
        patient_responsibility_amount=remittance.patient_responsibility_amount,
        remittance_count=1,
    )
    EpisodeClaim.objects.create(practice_id=practice_id, episode=episode, claim=claim)
    EpisodeRemittance.objects.create(
        practice_id=practice_id,
        episode=episode,
        claim=claim,
        remittance=remittance,
        method="control_number",
        confidence=1,
    )
    return episode


def create_model(score: RiskScore, mark: str) -> None:
    """Make a model that was retired, and what somebody decided of a claim that it scored."""
    person, _ = get_user_model().objects.get_or_create(username=f"decider{mark}")
    model = RiskModel.objects.create(
        practice_id=score.practice_id,
        version=f"m1 {mark}".strip(),
        state="retired",
        booster="{}",
        calibration={},
        card={},
    )
    about = {"practice_id": score.practice_id, "reason": f"Asked the payer {mark}".strip()}
    RiskModelChange.objects.create(**about, risk_model=model, step="retired", changed_by=person)
    RiskDecision.objects.create(**about, claim_id=score.claim_id, score=score, decision="held", decided_by=person)


def create_risk(claim: Claim, payer: Payer, mark: str) -> tuple[RiskScore, DenialPattern]:
    parts = dict.fromkeys(("coding_risk", "documentation_risk", "payer_risk", "historical_risk"), Decimal(20))
    score = RiskScore.objects.create(
        practice_id=claim.practice_id,
        claim=claim,
        overall_score=20,
        risk_level="low",
        model_version=f"rules {mark}",
        **parts,
    )
    said = {"message": f"No authorization {mark}", "recommendation": "Get the number."}
    RiskRule.objects.create(
        practice_id=claim.practice_id,
        payer=payer,
        code="no-authorization",
        component="authorization",
        condition={"fact": "has_authorization", "op": "eq", "value": False},
        points=10,
        **said,
    )
    RuleSet.objects.get_or_create(
        practice_id=claim.practice_id, version=1, defaults={"rules": [], "digest": mark or "0"}
    )
    create_model(score, mark)
    pattern = DenialPattern.objects.create(
        practice_id=claim.practice_id,
        payer=payer,
        pattern_type="denial_reason",
        pattern_description=f"Late filing {mark}",
        denial_reason_code="29",
        occurrence_count=4,
        frequency=Decimal("0.1"),
        confidence_score=Decimal("0.2"),
        first_seen_date=FIRST_DAY,
        last_seen_date=FIRST_DAY,
    )
    return score, pattern
