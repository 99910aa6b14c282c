"""/denials/: the work list, soonest deadline first and then most dollars; and what people do about a denial.

`assign`, `start`, `note`, `resolve` and `reopen` answer the denial as it then stands; what cannot be done is a 409 with
a sentence (episodes.desk).
"""

from collections.abc import Callable
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from episodes import desk
from episodes.codes import words_of
from episodes.hand import Refused
from episodes.models import (
    ClosedBy,
    CodeKind,
    DenialCategory,
    DenialItem,
    DenialNote,
    DenialState,
    Resolution,
    Strategy,
)
from marb.access.answers import CachedViewSet
from marb.access.idempotency import idempotent
from marb.access.roles import Action, may
from marb.core.bulk import TextField, WholeNumberField
from marb.core.errors import body
from marb.core.filters import IdFilter, RowFilterSet, TextFilter
from marb.core.paginator import MOST_ID
from marb.core.parser import StrictParser
from marb.core.reads import note_objects
from remits.api import BOOLEAN

DENIAL_FIELDS = [
    *("id", "practice", "episode", "remittance", "claim", "patient_control_number", "payer", "payer_name"),
    *("group_code", "carc", "carc_description", "remark_codes", "reasons", "category", "strategy", "is_whole"),
    *("is_correctable", "is_appealable", "denied_amount", "denied_date", "deadline_date", "deadline_basis"),
    *("status", "resolution", "closed_by", "assignee", "resolved_at", "created_at", "updated_at"),
]


def kept_words(view: Any, kind: CodeKind) -> dict[str, str]:
    """Get a list's words once for an answer."""
    kept: dict[str, dict[str, str]] = view.__dict__.setdefault("kept_words", {})
    if kind not in kept:
        kept[kind] = words_of(kind)
    return kept[kind]


class ReasonWordsField(serializers.CharField):
    """A reason code in words; nothing where no list says what it means."""

    def show(self, value: str, row: Any, view: Any) -> str:
        return kept_words(view, CodeKind.CARC).get(value, "")


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class RemarkWordsField(serializers.Field[Any, Any, Any, Any]):
    """Remark codes in words, those that a loaded list describes: {code: description}."""

    def show(self, value: list[str], row: Any, view: Any) -> dict[str, str]:
        words = kept_words(view, CodeKind.RARC)
        return {code: words[code] for code in value if code in words}


class DenialSerializer(serializers.ModelSerializer[DenialItem]):
    claim = serializers.IntegerField(source="episode.claim_id")
    patient_control_number = serializers.CharField(source="episode.claim.patient_control_number")
    payer_name = serializers.CharField(source="payer.name", allow_null=True)
    carc_description = ReasonWordsField(source="carc")
    assignee = serializers.CharField(source="assignee.username", allow_null=True)

    class Meta:
        model = DenialItem
        fields = DENIAL_FIELDS


class DenialNoteSerializer(serializers.ModelSerializer[DenialNote]):
    author = serializers.CharField(source="author.username")

    class Meta:
        model = DenialNote
        fields = ["id", "kind", "text", "author", "created_at"]


class DenialDetailSerializer(DenialSerializer):
    remark_descriptions = RemarkWordsField(source="remark_codes")
    notes = DenialNoteSerializer(many=True)

    class Meta(DenialSerializer.Meta):
        fields = [*DENIAL_FIELDS, "remark_descriptions", "notes"]


class TextSerializer(serializers.Serializer[Any]):
    """What a person says to it, if anything."""

    text = TextField(max_length=desk.MOST_NOTE, required=False, allow_blank=True, default="")


class NoteSerializer(serializers.Serializer[Any]):
    text = TextField(max_length=desk.MOST_NOTE)


class AssignSerializer(TextSerializer):
    """Whom the denial is given to, by id; null is nobody."""

    user = WholeNumberField(min_value=1, max_value=MOST_ID, allow_null=True)


class ResolveSerializer(TextSerializer):
    resolution = serializers.ChoiceField(choices=Resolution.choices)


class DenialFilterSet(RowFilterSet):
    """`open=true` leaves what is not resolved, `desk=7` what is person 7's or nobody's."""

    status = django_filters.ChoiceFilter(choices=DenialState.choices)
    open = django_filters.ChoiceFilter(choices=BOOLEAN, method="filter_open")
    assignee = IdFilter("assignee_id")
    desk = IdFilter(method="filter_desk")
    category = django_filters.ChoiceFilter(choices=DenialCategory.choices)
    strategy = django_filters.ChoiceFilter(choices=Strategy.choices)
    closed_by = django_filters.ChoiceFilter(choices=ClosedBy.choices)
    carc = TextFilter()
    payer = IdFilter("payer_id")
    episode = IdFilter("episode_id")
    deadline_from = django_filters.DateFilter("deadline_date", "gte")
    deadline_to = django_filters.DateFilter("deadline_date", "lte")

    def filter_open(self, queryset: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        resolved = Q(status=DenialState.RESOLVED)
        return queryset.filter(~resolved if value == "true" else resolved)

    def filter_desk(self, queryset: QuerySet[Any, Any], name: str, value: int) -> QuerySet[Any, Any]:
        return queryset.filter(Q(assignee=None) | Q(assignee_id=value))


class DenialViewSet(CachedViewSet):
    """Denials to work on, with what people said and did."""

    queryset = DenialItem.objects.all()
    serializer_class = DenialSerializer
    detail_class = DenialDetailSerializer
    filterset_class = DenialFilterSet
    parser_classes = (StrictParser,)
    orderings = ("priority", "-priority", "-id", "id")
    kind = "denial"
    stamp, depends = "denial", ("episode", "claim", "party", "code")
    write_action = Action.WORK_DENIALS

    def find_notes(self, row: dict[str, Any]) -> QuerySet[DenialNote]:
        return DenialNote.objects.filter(item_id=row["id"]).order_by("-id")

    @extend_schema(request=AssignSerializer, responses=DenialDetailSerializer)
    @action(detail=True, methods=["post"], parameters=())
    @idempotent
    def assign(self, request: Request, pk: str) -> Response:
        """Give a denial to a member of its practice, or to nobody. 409 where it cannot be."""
        item, asked = self.get_item(), self.read(AssignSerializer)
        user = asked["user"] and desk.find_assignees(item.practice_id).filter(pk=asked["user"]).first()
        if asked["user"] and user is None:
            raise serializers.ValidationError({"user": ["There is no such member of the practice."]})
        return self.change(lambda: desk.assign(item, request.user, user or None, asked["text"]))

    @extend_schema(request=TextSerializer, responses=DenialDetailSerializer)
    @action(detail=True, methods=["post"], parameters=())
    @idempotent
    def start(self, request: Request, pk: str) -> Response:
        """Take a denial up. 409 where it is not open."""
        item, asked = self.get_item(), self.read(TextSerializer)
        return self.change(lambda: desk.start(item, request.user, asked["text"]))

    @extend_schema(request=NoteSerializer, responses=DenialDetailSerializer)
    @action(detail=True, methods=["post"], parameters=())
    @idempotent
    def note(self, request: Request, pk: str) -> Response:
        """Write a note on a denial."""
        item, asked = self.get_item(), self.read(NoteSerializer)
        return self.change(lambda: desk.write_note(item, request.user, asked["text"]))

    @extend_schema(request=ResolveSerializer, responses=DenialDetailSerializer)
    @action(detail=True, methods=["post"], parameters=())
    @idempotent
    def resolve(self, request: Request, pk: str) -> Response:
        """End a denial by what was done about it. 409 where it is over, or cannot be appealed."""
        item, asked = self.get_item(), self.read(ResolveSerializer)
        return self.change(lambda: desk.resolve(item, request.user, asked["resolution"], asked["text"]))

    @extend_schema(request=TextSerializer, responses=DenialDetailSerializer)
    @action(detail=True, methods=["post"], parameters=())
    @idempotent
    def reopen(self, request: Request, pk: str) -> Response:
        """Open a denial again that a person ended. 409 where the rows have ended it."""
        item, asked = self.get_item(), self.read(TextSerializer)
        return self.change(lambda: desk.reopen(item, request.user, asked["text"]))

    def get_item(self) -> DenialItem:
        """Get the addressed denial, or raise Http404; one who works on it must be allowed to in its practice."""
        item: DenialItem | None = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if item is None:
            raise Http404
        if not may(self.request.user, item.practice_id, Action.WORK_DENIALS):
            raise PermissionDenied
        note_objects(self.request, [item])
        return item

    def read(self, serializer_class: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def change(self, act: Callable[[], DenialItem]) -> Response:
        """Do it, and answer how the denial stands."""
        try:
            act()
        except Refused as refusal:
            return Response(body(409, "not_changed", refusal.sentence, {}), 409)
        return self.read_row(self.request)
