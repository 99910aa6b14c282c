"""The course of each claim: sent, answered, denied and sent again, taken back, billed to the next payer.

Claims go out in batches, some days apart. What follows from an answer (a replacement, a void, a claim to the second
payer; a reversal, a correction) waits for the batch `lag` later, when the answer has surely come, so memory is bounded
by the batches within a month. The statuses counted are those that episodes.status must find.
"""

from collections import defaultdict
from random import Random
from typing import NamedTuple

from episodes.sample.adjudication import CUT_LENGTH, Remittance, deny, pay, pay_second
from episodes.sample.claims import Claim, Line, draw_claim
from episodes.sample.people import patient
from episodes.sample.truth import Truth
from episodes.sample.values import year_day

MOST_IN_BATCH = 5_000
DAYS_BETWEEN = 30
LONGEST_DAYS_TO_PAY = 28
# one control number in so many is longer than payers' fields, and one answer in so many has another damage to it
LONG_EVERY = 200
DAMAGED_EVERY = 150
UNQUOTED_EVERY = 40


class Calendar(NamedTuple):
    """How many batches of which size, on which days; `lag` batches pass until every payer has answered."""

    total: int
    size: int
    batches: int
    spacing: int
    lag: int
    last_day: int

    def sent(self, index: int) -> int:
        return self.last_day - LONGEST_DAYS_TO_PAY - 2 - self.spacing * (self.batches - 1 + self.lag - index)

    def claims(self, index: int) -> int:
        return min(self.size, self.total - index * self.size) if index < self.batches else 0


def calendar(total: int, last_day: int) -> Calendar:
    """Lay the batches out: four or more, of at most 5,000 claims, at most 30 days apart, over two years or so."""
    size = max(1, min(MOST_IN_BATCH, -(-total // 4)))
    batches = -(-total // size)
    spacing = max(1, min(DAYS_BETWEEN, 720 // max(1, batches)))
    lag = -(-(LONGEST_DAYS_TO_PAY + 1) // spacing)
    return Calendar(total, size, batches, spacing, lag, last_day)


class FollowUp(NamedTuple):
    """A later submission, the answer that it follows, and whether that answer was a denial."""

    claim: Claim
    after: Remittance
    is_denied: bool


def quoted(answer: Remittance) -> str:
    """Get what a replacement quotes of an answer (REF*F8): its number, which one in so many leaves out."""
    return "" if int(answer.payer_number[-8:]) % UNQUOTED_EVERY == 11 else answer.payer_number


def damaged(answer: Remittance) -> Remittance:
    """Say what the payer does to an answer's control number: by the number that it gives, so its reversal's too."""
    given = int(answer.payer_number[-8:])
    if len(answer.claim.number) > CUT_LENGTH:
        return answer._replace(damage="cut")
    if given % DAMAGED_EVERY == 7:
        return answer._replace(damage=("small", "padded", "lost")[given // DAMAGED_EVERY % 3])
    return answer


class Course:
    """Runs the batches in order. `run(index)` answers that batch's claims and its remittances."""

    def __init__(self, dates: Calendar, seed: int, truth: Truth):
        self.dates, self.seed, self.truth = dates, seed, truth
        self.index = 0
        self.rng = Random(seed)
        self.claim_count = self.answer_count = 0
        self.patients = max(20, dates.total // 3)
        self.claims_due: dict[int, list[FollowUp]] = defaultdict(list)
        self.answers_due: dict[int, list[Remittance]] = defaultdict(list)

    def run(self, index: int) -> tuple[list[Claim], list[Remittance]]:
        self.index, self.rng = index, Random(f"{self.seed}:{index}")
        answers = self.answers_due.pop(index, [])
        claims: list[Claim] = []
        room = self.dates.claims(index)
        for follow in self.claims_due.pop(index, []):
            if len(claims) < room:
                claims.append(follow.claim)
                answers += self.follow(follow)
            else:
                self.abandon(follow)
        while len(claims) < room:
            claim = self.draw("MF")
            claims.append(claim)
            answers += self.begin(claim) + self.stranger()
        for claim in claims:
            self.truth.add_claim(claim)
        return claims, self.said(answers)

    def stranger(self) -> list[Remittance]:
        """Answer, now and then, a claim that the practice sent before these files began."""
        if self.rng.random() >= 0.003:
            return []
        self.truth.plant("without_claim")
        return [self.paid(self.draw("OLD"))]

    def said(self, answers: list[Remittance]) -> list[Remittance]:
        return [damaged(answer) for answer in answers]

    def draw(self, prefix: str) -> Claim:
        self.claim_count += 1
        who = patient(int(self.rng.random() * self.patients), self.seed)
        number = f"{prefix}{self.claim_count:08d}"
        if self.claim_count % LONG_EVERY == 3:
            number += "-MILLBROOK"
        return draw_claim(self.rng, number, who, self.dates.sent(self.index))

    def payer_number(self, claim: Claim) -> str:
        self.answer_count += 1
        return f"{claim.payer.code[-2:]}{year_day(self.dates.sent(self.index))}{self.answer_count:08d}"

    def paid(self, claim: Claim, lines: list[Line] | None = None) -> Remittance:
        return pay(self.rng, claim, self.payer_number(claim), lines)

    def denied(self, claim: Claim) -> Remittance:
        answer = deny(self.rng, claim, self.payer_number(claim))
        self.truth.deny(answer)
        return answer

    def end(self, status: str) -> None:
        self.truth.episodes[status] += 1

    @property
    def can_follow(self) -> bool:
        return self.index + self.dates.lag < self.dates.batches

    def send(self, claim: Claim, after: Remittance, *, is_denied: bool = False) -> None:
        self.claims_due[self.index + self.dates.lag].append(FollowUp(claim, after, is_denied))

    def answer(self, *answers: Remittance) -> None:
        self.answers_due[self.index + self.dates.lag] += answers

    def begin(self, claim: Claim) -> list[Remittance]:
        """Decide an original claim's course; answers what its first 835 says."""
        chance = self.rng.random
        if chance() * 100 < claim.payer.unpaid_percent:
            self.end("pending")
            return []
        if chance() * 100 < claim.payer.denial_percent:
            return [self.begin_denied(claim)]
        if chance() < 0.012 and len(claim.lines) > 1 and not claim.encounter.drg_code:
            return [self.begin_half(claim)]
        answer = self.paid(claim)
        if claim.patient.secondary is not None and answer.patient > 0 and answer.lines:
            return [self.begin_second(claim, answer)]
        self.begin_paid(claim, answer, chance())
        return [answer]

    def begin_denied(self, claim: Claim) -> Remittance:
        answer = self.denied(claim)
        if self.can_follow and self.rng.random() < 0.45:
            self.send(claim.again("7", quoted(answer)), answer, is_denied=True)
        else:
            self.end("denied")
        return answer

    def begin_half(self, claim: Claim) -> Remittance:
        """The payer answers some lines and leaves the others pending, half of the time for good."""
        first = self.paid(claim, claim.lines[:1])
        self.truth.plant("in_parts")
        if self.rng.random() < 0.5:
            self.answer(self.paid(claim, claim.lines[1:]))
            self.end("complete")
        else:
            self.end("linked")
        return first

    def begin_second(self, claim: Claim, answer: Remittance) -> Remittance:
        """The patient's share goes to a second payer: handed over by the first one, or billed by the practice."""
        second = claim.patient.secondary
        assert second is not None
        other = claim.to_second(second, answer.as_prior(self.dates.sent(self.index) + claim.payer.days_to_pay))
        if claim.payer.crosses_over and self.rng.random() < 0.7:
            denied = self.rng.random() * 100 < second.denial_percent
            self.answer(self.second(other, answer, denied=denied))
            self.end("denied" if denied else "complete")
            return answer._replace(status="19", crossover=second)
        if self.can_follow:
            self.send(other, answer)
        else:
            self.end("complete")
        return answer

    def begin_paid(self, claim: Claim, answer: Remittance, chance: float) -> None:
        if chance < 0.015 and self.can_follow:
            self.send(claim.again("8", answer.payer_number), answer)
        elif chance < 0.04 and self.can_follow and len(claim.lines) > 1:
            again = claim.again("7", quoted(answer))
            self.send(again.charged(claim.lines[:-1]), answer)
        elif chance < 0.06:
            self.truth.plant("corrections")
            self.answer(answer.reversed(), self.paid(claim))
            self.end("complete")
        elif chance < 0.065:
            self.answer(answer.reversed())
            self.end("linked")
        else:
            self.end("complete")

    def follow(self, follow: FollowUp) -> list[Remittance]:
        """Answer a later submission: take the earlier answer back where it paid, then say the new one."""
        claim, after, chance = follow.claim, follow.after, self.rng.random
        if claim.sequence == "S":
            return self.follow_second(claim, after)
        if claim.frequency == "8":
            self.end("complete")
            return [after.reversed()]
        if follow.is_denied:
            if chance() < 0.25:
                self.end("denied")
                return [self.denied(claim)] if chance() < 0.5 else []
            self.end("complete")
            return [self.paid(claim)]
        self.truth.plant("corrections")
        self.end("complete")
        return [after.reversed(), self.paid(claim)]

    def follow_second(self, claim: Claim, after: Remittance) -> list[Remittance]:
        if self.rng.random() * 100 < claim.payer.unpaid_percent:
            self.end("complete")
            return []
        denied = self.rng.random() * 100 < claim.payer.denial_percent
        self.end("denied" if denied else "complete")
        return [self.second(claim, after, denied=denied)]

    def second(self, claim: Claim, after: Remittance, *, denied: bool) -> Remittance:
        answer = pay_second(claim, after, self.payer_number(claim), denied=denied)
        if denied:
            self.truth.deny(answer)
        return answer

    def abandon(self, follow: FollowUp) -> None:
        """End the course of a submission that finds no room in its batch: it is never sent."""
        self.end("denied" if follow.is_denied else "complete")
