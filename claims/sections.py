"""Answers (acknowledgements) as pages show them, and what claims add to lists of their own by `expand=answer`."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q
from django.http import HttpRequest

from claims.answerwords import say
from claims.models import Answer, AnswerLevel, Claim, ClaimAnswer
from marb.access.roles import Person
from marb.pipeline.models import EdiFile

MOST_ANSWERS = 100
AnswerRow = dict[str, Any]


def answers_to_claim(claim: Claim) -> list[AnswerRow]:
    """Get what was answered about a claim, the latest first."""
    given = claim.answers.select_related("answer").order_by("-answer__said_at", "answer_id")[:MOST_ANSWERS]
    return answer_rows(each.answer for each in given)


def answer_rows(answers: Iterable[Answer]) -> list[AnswerRow]:
    return [{"answer": answer, "words": [say(answer.level, code) for code in answer.codes]} for answer in answers]


def draw_file(file: EdiFile, request: HttpRequest) -> tuple[str, dict[str, Any]]:
    """Draw the answers that a file holds, and those that its envelopes were given; nothing where there are none."""
    named = Q(named_file=file) & ~Q(level=AnswerLevel.CLAIM)
    found = Answer.objects.filter(Q(file=file) | named, practice_id=file.practice_id).order_by("file_id", "seq")
    rows = answer_rows(found[: MOST_ANSWERS + 1])
    context = {"rows": rows[:MOST_ANSWERS], "is_cut": len(rows) > MOST_ANSWERS, "file": file}
    return ("claims/answers.html" if rows else "", context)


def expand_claims(ids: Sequence[int], user: Person) -> dict[int, Any]:
    """Answer the current answer of each claim, for `/claims/?expand=answer`."""
    current = ClaimAnswer.objects.for_user(user).filter(claim_id__in=ids, is_current=True).select_related("answer")
    return {
        each.claim_id: {"verdict": each.verdict, "level": each.answer.level, "said_at": each.answer.said_at}
        for each in current
    }
