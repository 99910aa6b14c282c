"""The course of claims whose denials have planted causes: what is denied, by which cause, and how likely it was.

Beside the plants (plants.py) and habits (habits.py) the traffic differs from the plain course's so that conditions
occur: charges vary around the list price, some claims go out late, some twice under another number, authorizations are
forgotten, and two procedures are new from a date on. A patient comes back only after all others, so that nothing but a
planted copy repeats a patient's service and day. Left out, because no label could be told exactly: answers in parts,
damaged control numbers, answers to unknown claims.

The chance of a claim's label is 1 less the product of what each of its causes leaves: each line is denied for itself,
a whole-claim plant denies all of them.
"""

from collections import defaultdict
from collections.abc import Sequence
from math import exp, gcd

from episodes.sample.adjudication import LineAnswer, Remittance, pay_line, pay_stay, summed
from episodes.sample.claims import Claim, Line, draw_claim
from episodes.sample.course import LONGEST_DAYS_TO_PAY, MOST_IN_BATCH, Calendar, Course, FollowUp, quoted
from episodes.sample.encounters import VISITS
from episodes.sample.judge import Judge, Verdict
from episodes.sample.payers import NO_AUTHORIZATION
from episodes.sample.people import patient
from episodes.sample.plants import NEW_HARMLESS, NEW_PROCEDURE, Plant, parts_of
from episodes.sample.truth import PlantedTruth

DAYS_COVERED, FEWEST_BATCHES, MOST_BATCHES, DAYS_IN_WEEK = 540, 12, 60, 7
LATE_SHARE, LATE_DAYS = 0.06, ((30, 80), (100, 170), (190, 330))
COPY_SHARE, FORGOTTEN_SHARE, NEW_SHARE, NEW_START = 0.02, 0.25, 0.3, 0.6
USUAL_SHARE = 0.45
CHARGE_SPREAD, CHARGE_LEAST, CHARGE_MOST = 0.35, 0.5, 2.2
RESENT_SHARE, CAPITATED_SHARE = 0.45, 0.2
NEW_PRICES = {NEW_PROCEDURE: 3_300, NEW_HARMLESS: 9_400}
VISITED = {service.code for service in VISITS}


def long_calendar(total: int, last_day: int) -> Calendar:
    """Lay the batches over eighteen months, on every weekday in turn: 12 to 60 of them, more for many claims."""
    batches = max(min(total, FEWEST_BATCHES), min(MOST_BATCHES, total // 100), -(-total // MOST_IN_BATCH))
    size = -(-total // batches)
    batches = -(-total // size)
    spacing = max(1, DAYS_COVERED // batches)
    spacing -= spacing > 1 and spacing % DAYS_IN_WEEK == 0
    return Calendar(total, size, batches, spacing, -(-(LONGEST_DAYS_TO_PAY + 1) // spacing), last_day)


class PlantedCourse(Course):
    """Runs the batches in order, with planted causes; without any the payers' base rates are all there is."""

    def __init__(self, dates: Calendar, seed: int, truth: PlantedTruth, plants: Sequence[Plant]):
        super().__init__(dates, seed, truth)
        self.outcomes = truth
        first, last = dates.sent(0), dates.sent(dates.batches - 1)
        self.new_day = first + int((last - first) * NEW_START)
        self.judge = Judge(plants, first, last)
        truth.begin(self.judge.rules, is_pulled=self.judge.is_pulled)
        self.step = next(
            step for step in range(self.patients * 5 // 8, 2 * self.patients) if gcd(step, self.patients) == 1
        )
        self.copies: set[str] = set()
        self.copies_due: dict[int, list[Claim]] = defaultdict(list)

    @property
    def sent(self) -> int:
        return self.dates.sent(self.index)

    def stranger(self) -> list[Remittance]:
        return []

    def said(self, answers: list[Remittance]) -> list[Remittance]:
        return answers

    def run(self, index: int) -> tuple[list[Claim], list[Remittance]]:
        self.copies.clear()
        return super().run(index)

    def draw(self, prefix: str) -> Claim:
        """Draw an original claim, or the second sending of one that went out under another number."""
        self.claim_count += 1
        number, chance = f"{prefix}{self.claim_count:08d}", self.rng.random
        if due := self.copies_due[self.index]:
            copy = due.pop()
            copy.number = number
            self.copies.add(number)
            return copy
        late = chance() < LATE_SHARE
        who = self.patients + self.claim_count if late else self.claim_count * self.step % self.patients
        claim = draw_claim(self.rng, number, patient(who, self.seed), self.sent)
        self.usual(claim)
        self.reshape(claim, self.late_days() if late else self.sent - claim.to_day)
        if chance() < COPY_SHARE and self.can_follow:
            self.copies_due[self.index + self.dates.lag].append(claim.again("1", ""))
        return claim

    def late_days(self) -> int:
        least, most = LATE_DAYS[int(self.rng.random() * len(LATE_DAYS))]
        return least + int(self.rng.random() * (most - least))

    def reshape(self, claim: Claim, days: int) -> None:
        """Set the days from service to sending, vary the charges, forget the authorization, add what is new."""
        chance, back = self.rng.random, self.sent - days - claim.to_day
        claim.from_day, claim.to_day = claim.from_day + back, claim.to_day + back
        claim.over_list = factor = min(CHARGE_MOST, max(CHARGE_LEAST, exp(self.rng.gauss(0, CHARGE_SPREAD))))
        lines = [
            line._replace(charge=int(line.charge * factor), service_day=line.service_day + back) for line in claim.lines
        ]
        if claim.authorization and chance() < FORGOTTEN_SHARE:
            claim.authorization = ""
        if self.sent >= self.new_day and not claim.is_institutional and parts_of(lines[0].procedure)[0] in VISITED:
            for code, cents in NEW_PRICES.items():
                if chance() < NEW_SHARE:
                    lines.append(new_line(lines, code, int(cents * factor)))
        claim.charged(lines)

    def usual(self, claim: Claim) -> None:
        """Let an encounter's usual diagnosis often be the principal one."""
        first = claim.encounter.diagnoses[0]
        if self.rng.random() < USUAL_SHARE:
            claim.diagnoses = [first, *(code for code in claim.diagnoses if code != first)]

    def begin(self, claim: Claim) -> list[Remittance]:
        """Judge an original claim; answers what its first 835 says."""
        verdict = self.judge.judge(self.rng, claim, self.sent, is_duplicate=claim.number in self.copies)
        is_answered = self.rng.random() * 100 >= claim.payer.unpaid_percent
        self.outcomes.add_outcome(claim, self.sent, verdict, is_answered=is_answered)
        if not is_answered:
            self.end("pending")
            return []
        answer = self.judged(claim, verdict)
        if not verdict.is_clean:
            self.begin_again(claim, answer, verdict)
        elif claim.patient.secondary is not None and answer.patient > 0 and answer.lines:
            return [self.begin_second(claim, answer)]
        else:
            self.begin_paid(claim, answer, self.rng.random())
        return [answer]

    def begin_again(self, claim: Claim, answer: Remittance, verdict: Verdict) -> None:
        """Some of what is denied in full is corrected and sent again; a missing authorization is got first."""
        if not verdict.is_full:
            self.end("complete")
        elif self.can_follow and self.rng.random() < RESENT_SHARE:
            again = claim.again("7", quoted(answer))
            if NO_AUTHORIZATION in verdict.reasons:
                again.authorization = f"A{int(self.rng.random() * 10**9):09d}"
            self.send(again, answer, is_denied=True)
        else:
            self.end("denied")

    def follow(self, follow: FollowUp) -> list[Remittance]:
        """Answer a later submission: take the earlier answer back where it paid, then judge the new one."""
        claim, after = follow.claim, follow.after
        if claim.sequence == "S":
            return self.follow_second(claim, after)
        if claim.frequency == "8":
            self.end("complete")
            return [after.reversed()]
        verdict = self.judge.judge(self.rng, claim, self.sent, is_duplicate=False)
        self.outcomes.add_outcome(claim, self.sent, verdict, is_answered=True)
        self.end("denied" if verdict.is_full else "complete")
        answer = self.judged(claim, verdict)
        return [answer] if follow.is_denied else [after.reversed(), answer]

    def follow_second(self, claim: Claim, after: Remittance) -> list[Remittance]:
        """Answer the claim to the second payer: its lines stand or fall together, by that payer's base rate."""
        verdict = self.judge.judge_second(self.rng, claim, after, self.sent)
        is_answered = self.rng.random() * 100 >= claim.payer.unpaid_percent
        self.outcomes.add_outcome(claim, self.sent, verdict, is_answered=is_answered)
        denied = is_answered and not verdict.is_clean
        self.end("denied" if denied else "complete")
        return [self.second(claim, after, denied=denied)] if is_answered else []

    def paid(self, claim: Claim, lines: list[Line] | None = None) -> Remittance:
        return self.judged(claim, None)

    def judged(self, claim: Claim, verdict: Verdict | None) -> Remittance:
        """Write a verdict down as the payer's answer: denied lines at nothing, the others by the payer's habits."""
        number, payer, chance = self.payer_number(claim), claim.payer, self.rng.random
        if claim.encounter.drg_code:
            answer = pay_stay(self.rng, claim, number)
            return denied_stay(answer, verdict) if verdict and verdict.is_full else answer
        deductible = chance() * 100 < payer.deductible_percent
        capitated = payer.filing_code == "HM" and chance() < CAPITATED_SHARE
        answers = []
        for place, line in enumerate(claim.lines):
            reason = verdict.reasons[place] if verdict else None
            if reason:
                answers.append(LineAnswer(line, 0, 0, [(reason[0], reason[1], line.charge)], reason[2]))
            elif capitated:
                answers.append(LineAnswer(line, 0, 0, [("CO", "24", line.charge)], ""))
            else:
                answers.append(pay_line(payer, line, deductible, payer.copay_cents if place == 0 else 0))
        return summed(claim, number, answers)


def new_line(lines: list[Line], code: str, charge: int) -> Line:
    last = lines[-1]
    return Line(len(lines) + 1, f"HC:{code}", "", charge, "UN", 1, "1", last.service_day, None)


def denied_stay(answer: Remittance, verdict: Verdict) -> Remittance:
    """Deny an inpatient stay at the claim."""
    reason = verdict.reasons[0]
    assert reason is not None
    group, carc, remark = reason
    charge = answer.charge
    return answer._replace(
        paid=0, patient=charge if group == "PR" else 0, adjustments=[(group, carc, charge)], remark=remark
    )
