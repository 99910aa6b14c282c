"""/kpis/: the key figures of a choice of months, payer, provider and practice, each with its definition.

They are read from sums and kept in the cache while nothing that they stand on changes. No patient is shown.
"""

import re
from datetime import date
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from episodes.kpiread import MOST_MONTHS, PAYER_KEYS, Choice, get_figures, lately
from marb.core.filters import MOST_TEXT

MONTH = re.compile(r"\A(19|20)[0-9]{2}-(0[1-9]|1[0-2])\Z")
PARAMETERS = ("from", "to", "payer", "provider", "practice")


def dollars(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=18, decimal_places=2, **options)


class FigureSerializer(serializers.Serializer[Any]):
    """A key figure. `value` is in its unit, null where there is nothing to divide by; so is each of `trend`, by month.

    `trend` is empty where a figure is of today. `reference` is where the definition comes from, `is_met` whether the
    target is reached.
    """

    key = serializers.CharField()
    title = serializers.CharField()
    definition = serializers.CharField()
    reference = serializers.CharField()
    unit = serializers.ChoiceField(["percent", "days", "dollars", "count"])
    target = dollars(allow_null=True)
    goal = serializers.CharField()
    value = dollars(allow_null=True)
    text = serializers.CharField()
    is_met = serializers.BooleanField(allow_null=True)
    trend = serializers.ListField(child=dollars(allow_null=True))


class AgeSerializer(serializers.Serializer[Any]):
    """What is open today of what was submitted so many days ago."""

    bucket = serializers.CharField()
    amount = dollars()


class SubmittedSerializer(serializers.Serializer[Any]):
    """What was submitted in the months."""

    claim_count = serializers.IntegerField()
    line_count = serializers.IntegerField()
    charge_amount = dollars()


class PayerFiguresSerializer(serializers.Serializer[Any]):
    """The figures of one payer; `payer` is null where claims name none."""

    payer = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    claim_count = serializers.IntegerField()
    charge_amount = dollars()
    open_amount = dollars()

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {key: dollars(allow_null=True) for key in PAYER_KEYS}


class KpisSerializer(serializers.Serializer[Any]):
    """`months` are those of every trend, YYYY-MM; `ageing` and what is open are of `today`."""

    first = serializers.DateField()
    last = serializers.DateField()
    today = serializers.DateField()
    months = serializers.ListField(child=serializers.CharField())
    figures = FigureSerializer(many=True)
    ageing = AgeSerializer(many=True)
    submitted = SubmittedSerializer()
    payers = PayerFiguresSerializer(many=True)


class BadChoice(ValueError):
    """A choice that names no months: `field` and `sentence` say what is wrong."""

    def __init__(self, field: str, sentence: str):
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


def read_choice(parameters: Any, today: date) -> Choice:
    """Read a choice from a query; what is not said is the last twelve months of everything. Raises BadChoice."""
    default = lately(today)
    last = month_of("to", parameters) or default.last
    first = month_of("from", parameters) or lately(last).first
    if not first <= last:
        raise BadChoice("from", "The first month is after the last one.")
    choice = Choice(first, last, id_of("payer", parameters), id_of("provider", parameters), code_of(parameters))
    if len(choice.months) > MOST_MONTHS:
        raise BadChoice("from", f"At most {MOST_MONTHS} months.")
    return choice


def month_of(name: str, parameters: Any) -> date | None:
    text = parameters.get(name, "")
    if not text:
        return None
    if not MONTH.match(text):
        raise BadChoice(name, "A month is written YYYY-MM.")
    return date(int(text[:4]), int(text[5:]), 1)


def id_of(name: str, parameters: Any) -> int | None:
    text = parameters.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text, re.ASCII):
        raise BadChoice(name, "An id is a whole number.")
    return int(text)


def code_of(parameters: Any) -> str:
    text: str = parameters.get("practice", "")
    if len(text) > MOST_TEXT or "\x00" in text:
        raise BadChoice("practice", f"A code has at most {MOST_TEXT} characters.")
    return text


def described(name: str, text: str, **schema: Any) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", **schema}, description=text)


MONTH_SCHEMA = {"pattern": r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$"}
ID_SCHEMA = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}


class Kpis(APIView):
    """The key figures."""

    http_method_names = ("get", "head")

    @extend_schema(
        operation_id="kpis",
        responses=KpisSerializer,
        parameters=[
            described("from", "The first month; eleven before the last where it is not said.", **MONTH_SCHEMA),
            described("to", "The last month; this one where it is not said.", **MONTH_SCHEMA),
            described("payer", "Of one payer.", **ID_SCHEMA),
            described("provider", "Of one billing provider.", **ID_SCHEMA),
            described("practice", "Of one practice, by its code.", minLength=1, maxLength=MOST_TEXT),
        ],
    )
    def get(self, request: Request) -> Response:
        unknown = set(request.query_params) - set(PARAMETERS)
        if unknown or not all(value for _, values in request.query_params.lists() for value in values):
            raise serializers.ValidationError({"request": [f"Known are {', '.join(PARAMETERS)}, each with a value."]})
        today = timezone.now().date()
        try:
            choice = read_choice(request.query_params, today)
        except BadChoice as refusal:
            raise serializers.ValidationError({refusal.field: [refusal.sentence]}) from None
        answer = Response(get_figures(request.user, choice, today))
        answer.headers["Cache-Control"] = "private, no-store"
        return answer
