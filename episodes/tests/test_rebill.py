"""The next claim of an episode: what it says, that it reads back, and what is refused with a sentence."""

import io
from collections.abc import Callable

import pytest

from claims.edi837 import ParsedClaim, parse_claims
from claims.models import Claim
from claims.tests.envelope import BILLING, SUBSCRIBER, file_text
from episodes.models import Episode
from marb.edi.x12 import Excerpt, Span, read_separators
from marb.pipeline.receive import receive
from marb.pipeline.run import step
from remits.models import Remittance

pytestmark = pytest.mark.django_db(transaction=True)
CLAIM = (
    "CLM*PCN1*150***11:B:1*Y*A*Y*Y~HI*ABK:J209*ABF:E119~NM1*82*1*HAYES*JO****XX*1346267893~PRV*PE*PXC*207Q00000X~"
    "SBR*S*01*GROUP2******CI~OI***Y***Y~NM1*IL*1*ROE*SAM****MI*W2~N3*9 ELM~N4*TOWN*PA*19001~"
    "NM1*PR*2*SECOND HEALTH*****PI*88888~"
    "LX*1~SV1*HC:99213:25*100*UN*1***1:2~DTP*472*D8*20240110~REF*6R*L1~LX*2~SV1*HC:83036*50*UN*1***1~"
    "DTP*472*D8*20240110~REF*6R*L2~"
)
HEAD_835 = (
    "ISA*00*          *00*          *ZZ*PAYER          *ZZ*SENDER         *240201*1200*^*00501*000000070*0*P*:~"
    "GS*HP*R*S*20240201*1200*70*X*005010X221A1~ST*835*0001~BPR*I*90*C*ACH************20240205~TRN*1*T1*1~"
    "N1*PR*ACME HEALTH*XV*60054~N1*PE*NORTH CLINIC*XX*1234567893~LX*1~"
)
LINES_835 = (
    "NM1*QC*1*DOE*ANN****MI*W1~SVC*HC:99213:25*100*70**1~DTM*472*20240110~CAS*CO*45*10~CAS*PR*2*20~REF*6R*L1~"
    "SVC*HC:83036*50*20**1~DTM*472*20240110~CAS*CO*45*30~REF*6R*L2~"
)
TAIL_835 = "SE*18*0001~GE*1*70~IEA*1*000000070~"


def payment(*, status: str = "1", paid: str = "90", lines: str = LINES_835, number: str = "ICN1") -> bytes:
    clp = f"CLP*PCN1*{status}*150*{paid}*20*12*{number}*11*1~"
    return (HEAD_835 + clp + lines + TAIL_835).encode()


@pytest.fixture
def ingest(practice) -> Callable[..., None]:
    def ingest(*files: bytes) -> None:
        for data in files:
            file_id = receive(practice_id=practice.pk, name="a.x12", stream=io.BytesIO(data)).file_id
            while step([file_id]):
                pass

    return ingest


@pytest.fixture
def fetch(client, biller) -> Callable[[str], ParsedClaim]:
    """Fetch the only episode's next claim of a kind, and read it."""

    def fetch(kind: str) -> ParsedClaim:
        client.force_login(biller)
        answer = client.get(f"/api/v1/episodes/{Episode.objects.get().pk}/{kind}/")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/edi-x12"), answer.content
        (claim,) = parse_claims(Excerpt(read_separators(answer.content), [], Span(0, 0, answer.content), ""))
        assert isinstance(claim, ParsedClaim)
        return claim

    return fetch


def refused(client, biller, kind: str) -> str:
    client.force_login(biller)
    answer = client.get(f"/api/v1/episodes/{Episode.objects.get().pk}/{kind}/")
    assert answer.status_code == 409
    return str(answer.json()["message"])


ORIGINAL = file_text(BILLING + SUBSCRIBER + CLAIM).encode()


def test_a_corrected_claim_carries_the_payers_number_and_all_of_the_claim(ingest, fetch):
    ingest(ORIGINAL, payment())
    claim = fetch("corrected")
    assert (claim.frequency_code, claim.payer_claim_control_number) == ("7", "ICN1")
    (before,) = parse_claims(Excerpt(read_separators(ORIGINAL), [], Span(0, 0, ORIGINAL), ""))
    assert isinstance(before, ParsedClaim)
    assert (claim.providers, claim.other_payers, claim.diagnoses) == (
        *(before.providers, before.other_payers, before.diagnoses),
    )
    assert [line.charge_cents for line in claim.lines] == [10000, 5000]
    assert claim.detail["subscriber"] == before.detail["subscriber"]


def test_a_void_has_frequency_8(ingest, fetch):
    ingest(ORIGINAL, payment())
    assert fetch("void").frequency_code == "8"


def test_the_next_payer_is_told_what_the_first_one_said_line_by_line(ingest, fetch):
    ingest(ORIGINAL, payment())
    claim = fetch("secondary")
    assert (claim.payer_sequence_code, claim.payer.code, claim.subscriber_member_id) == ("S", "88888", "W2")
    assert (claim.patient_last_name, claim.patient_relationship_code) == ("DOE", "01")
    assert (claim.patient_birth_date, claim.frequency_code) == ("1970-01-02", "1")
    (first,) = claim.other_payers
    assert (first["sequence"], first["payer"]["id_code"], first["paid_amount"]) == ("P", "60054", "90.00")
    assert first["payer"]["references"] == [{"qualifier": "F8", "value": "ICN1"}]
    said = [line.adjudications[0] for line in claim.lines]
    assert [(each["payer_code"], each["paid_amount"], each["date"]) for each in said] == [
        ("60054", "70.00", "2024-02-05"),
        ("60054", "20.00", "2024-02-05"),
    ]
    assert said[0]["adjustments"] == [
        {"group_code": "CO", "carc": "45", "amount": "10.00"},
        {"group_code": "PR", "carc": "2", "amount": "20.00"},
    ]


def test_a_corrected_adjudication_is_what_the_next_payer_is_told(ingest, fetch):
    back = LINES_835.replace("*100*70*", "*-100*-70*").replace("*50*20*", "*-50*-20*").replace("*45*", "*45*-")
    back = back.replace("*2*20~", "*2*-20~")
    reversal = payment(status="22", paid="-90", lines=back).replace(b"*150*", b"*-150*").replace(b"0070", b"0071")
    again = payment(lines=LINES_835.replace("*70**", "*60**").replace("*45*10~", "*45*20~"), paid="80")
    ingest(ORIGINAL, payment(), reversal.replace(b"20240205", b"20240301"), again.replace(b"20240205", b"20240302"))
    assert [line.adjudications[0]["paid_amount"] for line in fetch("secondary").lines] == ["60.00", "20.00"]


def test_what_cannot_be_written_is_said(ingest, client, biller):
    ingest(ORIGINAL)
    assert "No remittance has told the payer's number" in refused(client, biller, "corrected")
    assert "No adjudication of the first payer stands" in refused(client, biller, "secondary")


def test_a_claim_that_was_forwarded_is_not_sent_again(ingest, client, biller):
    ingest(ORIGINAL, payment(status="19"))
    assert "forwarded" in refused(client, biller, "secondary")


def test_a_remittance_that_does_not_balance_is_not_passed_on(ingest, client, biller):
    ingest(ORIGINAL, payment(paid="91"))
    assert Remittance.objects.get().status == "error"
    assert "does not balance" in refused(client, biller, "secondary")


def test_a_line_that_is_in_doubt_is_not_guessed(ingest, client, biller):
    lines = LINES_835.replace("REF*6R*L1~", "").replace("HC:99213:25*100", "HC:99999*100")
    ingest(ORIGINAL, payment(lines=lines))
    assert "line 1 of the remittance" in refused(client, biller, "secondary")


def test_a_claim_without_another_payer_has_no_next_claim(ingest, client, biller):
    alone = ORIGINAL[: ORIGINAL.index(b"SBR*S")] + ORIGINAL[ORIGINAL.index(b"LX*1") :]
    ingest(alone, payment())
    assert refused(client, biller, "secondary") == "The claim names no secondary payer (loop 2320)."


def test_the_page_offers_what_the_person_may_have(ingest, client, biller, auditor):
    ingest(ORIGINAL, payment())
    episode = Episode.objects.get()
    page, address = f"/episodes/episode/{episode.pk}/change/", f"/episodes/episode/{episode.pk}/claim/secondary/"
    client.force_login(biller)
    assert address in client.get(page).content.decode()
    assert client.get(address).content.startswith(b"ISA*")
    Claim.objects.update(other_payers=[])
    assert "names no secondary payer" in client.get(address, follow=True).content.decode()
    client.force_login(auditor)
    assert address not in client.get(page).content.decode()
    assert client.get(address).status_code == 403
    assert client.get(f"/api/v1/episodes/{episode.pk}/secondary/").status_code == 403
