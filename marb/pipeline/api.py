"""/files/: upload, and what became of it: status, counts, sets, findings, quarantined claims and their bytes.

An upload answers 202 as soon as its bytes are kept; the belt does the rest and the status address tells. The same
bytes again answer 200 with the first file's id. What is not X12 is kept too, and refused with the sentence that names
it. The raw bytes of a quarantined claim hold identifiers: they are for roles that may see those.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import django_filters
from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.serializers import Serializer

from marb.access.answers import KeptViewSet
from marb.access.idempotency import answer_once
from marb.access.models import Practice
from marb.access.roles import Action, find_practices, may
from marb.core.download import send_edi
from marb.core.errors import body
from marb.core.filters import InstantFilter, RowFilterSet, TextFilter
from marb.core.paginator import KeyPagination
from marb.core.renderer import EdiRenderer, EventRenderer, OrjsonRenderer
from marb.core.viewsets import get_shape, select
from marb.edi.x12 import Span, read_segments
from marb.pipeline import serializers
from marb.pipeline.body import FileParser, FormParser, LengthRequired
from marb.pipeline.events import MOST_FILES, answer_events, look_at
from marb.pipeline.intake import take_in
from marb.pipeline.models import FINISHED, Acknowledgement, EdiFile, FileStatus, Quarantine, SetStatus
from marb.pipeline.reading import read
from marb.pipeline.receive import NotReceived, Received, pieces
from marb.pipeline.split import read_separators
from marb.pipeline.steering import give

# What no reader of text could take for X12 is a wrong media type; other text is a wrong content.
MEDIA = frozenset(
    {"pdf", "image", "gzip", "archive", "office", "program", "database", "parquet", "encrypted", "zip", "png", "binary"}
)
CODES = {413: "too_large", 422: "unreadable"}
UPLOAD_PARAMETERS = frozenset({"name", "practice"})
LAST_EVENT = OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER, description="What is known already.")
EVENT = {
    "type": "object",
    "properties": {"event": {"type": "string"}, "id": {"type": "string"}, "data": {"type": "string"}},
}
LEVELS = [(level, level) for level in "XGTCW"]


class FileFilterSet(RowFilterSet):
    """Each narrows by an index, or what another one found."""

    status = django_filters.ChoiceFilter(choices=FileStatus.choices)
    kind = TextFilter()
    received_from = InstantFilter("received_at", "gte")
    received_to = InstantFilter("received_at", "lte")


class FindingFilterSet(RowFilterSet):
    level = django_filters.ChoiceFilter(choices=LEVELS)
    code = TextFilter()


class SetFilterSet(RowFilterSet):
    status = django_filters.ChoiceFilter(choices=SetStatus.choices)


class FileViewSet(KeptViewSet):
    """Files as they were received, and what they came to."""

    queryset = EdiFile.objects.all()
    serializer_class = serializers.FileSerializer
    detail_class = serializers.FileDetailSerializer
    filterset_class: type[RowFilterSet] = FileFilterSet
    parser_classes = (FormParser, FileParser)
    orderings = ("-id", "id", "-received_at", "received_at")
    kind = "file"
    write_action = Action.UPLOAD
    http_method_names = ("get", "head", "post")

    def check_parameters(self, request: Request) -> None:
        if self.action != "create":
            super().check_parameters(request)
        elif not set(request.query_params) <= UPLOAD_PARAMETERS:
            raise ValidationError({"request": [f"Unknown parameter. Known: {', '.join(sorted(UPLOAD_PARAMETERS))}."]})

    @extend_schema(
        request={
            "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
        },
        parameters=[OpenApiParameter("name"), OpenApiParameter("practice")],
        responses={200: serializers.UploadedSerializer, 202: serializers.UploadedSerializer},
    )
    def create(self, request: Request) -> Response:
        """Take a file in: the body itself (`?name=`), or the field `file` of a form. Plain or gzip.

        With the header `Idempotency-Key` the same request again is answered as the first time.
        """
        stream, name = uploaded(request)
        practice = get_practice(request)
        content = Digested(stream, f"{practice.pk} {name}")

        def act() -> Response:
            try:
                received = take_in(practice_id=practice.pk, name=name, stream=content, user_id=request.user.pk)
            except NotReceived as refusal:
                return refuse(refusal)
            return answer(request, received)

        return answer_once(request, content.digest, act)

    @extend_schema(responses=serializers.StateSerializer)
    @action(detail=True, parameters=())
    def progress(self, request: Request, pk: str) -> Response:
        """Answer a file's status and how far it is."""
        return Response(look_at([self.get_file().pk]).files[0])

    @extend_schema(parameters=[LAST_EVENT], responses={(200, "text/event-stream"): EVENT})
    @action(detail=True, parameters=(), renderer_classes=[EventRenderer, OrjsonRenderer])
    def events(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Tell a file's progress as it moves: server-sent events `progress`, and `done` when it is finished."""
        ids = [self.get_file().pk]
        return self.tell(lambda: ids)

    @extend_schema(parameters=[LAST_EVENT], responses={(200, "text/event-stream"): EVENT}, operation_id="files_live")
    def live(self, request: Request) -> StreamingHttpResponse:
        """Tell the progress of every unfinished file, all that moved in one event."""
        return self.tell(Unfinished(self.get_queryset()).find)

    def tell(self, find: Callable[[], Sequence[int]]) -> StreamingHttpResponse:
        # gathered by gzip, an event would come late
        self.request.META.pop("HTTP_ACCEPT_ENCODING", None)
        return answer_events(self.request.user.pk, find, self.request.headers.get("Last-Event-ID", ""))

    @extend_schema(responses={(200, EdiRenderer.media_type): bytes})
    @action(detail=True, parameters=(), renderer_classes=[EdiRenderer, OrjsonRenderer])
    def acknowledgement(self, request: Request, pk: str) -> HttpResponse:
        """Answer the TA1 and 999 that acknowledge a file, as X12. 404 where it has none, or none yet."""
        found = Acknowledgement.objects.filter(file=self.get_file()).first()
        if found is None:
            raise NotFound("The file has no acknowledgement: it is not finished, or holds no claims and no payments.")
        return send_edi(bytes(found.content), f"file-{pk}-acknowledgement.x12")

    @extend_schema(responses=serializers.FileFindingSerializer(many=True))
    @action(
        detail=True,
        orderings=("byte_offset", "-byte_offset"),
        filterset_class=FindingFilterSet,
        parameters=KeyPagination.parameters,
    )
    def findings(self, request: Request, pk: str) -> Response:
        """Answer one page of a file's findings, in the order of the file."""
        return self.answer_children(self.get_file().findings.all(), serializers.FileFindingSerializer)

    @extend_schema(responses=serializers.SetSerializer(many=True))
    @action(
        detail=True,
        orderings=("byte_from", "-byte_from"),
        filterset_class=SetFilterSet,
        parameters=KeyPagination.parameters,
    )
    def sets(self, request: Request, pk: str) -> Response:
        """Answer one page of a file's transaction sets, with the reason of each that was rejected or kept."""
        return self.answer_children(self.get_file().sets.all(), serializers.SetSerializer)

    @extend_schema(responses=serializers.QuarantineSerializer(many=True))
    @action(
        detail=True,
        orderings=("byte_from", "-byte_from"),
        filterset_class=RowFilterSet,
        parameters=KeyPagination.parameters,
    )
    def quarantine(self, request: Request, pk: str) -> Response:
        """Answer one page of a file's quarantined claims and claim payments."""
        return self.answer_children(self.get_file().quarantined.all(), serializers.QuarantineSerializer)

    @extend_schema(responses=serializers.QuarantineDetailSerializer)
    @action(
        detail=True,
        url_path="quarantine/(?P<quarantine_id>[0-9]{1,18})",
        filterset_class=RowFilterSet,
        parameters=(),
    )
    def quarantined(self, request: Request, pk: str, quarantine_id: str) -> Response:
        """Answer one quarantined claim with its segments as they came."""
        held = self.get_file().quarantined.select_related("chunk").filter(pk=quarantine_id).first()
        if held is None:
            raise Http404
        if not may(request.user, held.practice_id, Action.SEE_IDENTIFIERS):
            raise PermissionDenied
        shape = get_shape(serializers.QuarantineSerializer)
        row = {name: getattr(held, source) for name, source in shape.columns.items()}
        return Response({**row, "segments": read_held(held)})

    @extend_schema(request=None, responses={202: serializers.UploadedSerializer})
    @action(detail=True, methods=["post"], parameters=())
    def retry(self, request: Request, pk: str) -> Response:
        """Try again what was given up: parked chunks, failed last steps. 409 where there is nothing to try."""
        return self.give("retry")

    @extend_schema(request=None, responses={202: serializers.UploadedSerializer})
    @action(detail=True, methods=["post"], parameters=())
    def pause(self, request: Request, pk: str) -> Response:
        """Let a file rest once the chunks in hand are done. 409 where it is finished or on hold."""
        return self.give("pause")

    @extend_schema(request=None, responses={202: serializers.UploadedSerializer})
    @action(detail=True, methods=["post"], parameters=())
    def resume(self, request: Request, pk: str) -> Response:
        """Let a paused file go on. 409 where it is not paused."""
        return self.give("resume")

    @extend_schema(request=None, responses={202: serializers.UploadedSerializer})
    @action(detail=True, methods=["post"], parameters=())
    def cancel(self, request: Request, pk: str) -> Response:
        """Give up what is open of a file; what is committed stays. 409 where nothing is open."""
        return self.give("cancel")

    def give(self, word: str) -> Response:
        """Give a file an order (marb.pipeline.steering); once by its Idempotency-Key."""
        return answer_once(self.request, lambda: "", lambda: self.carry_out(word))

    def carry_out(self, word: str) -> Response:
        file = self.get_file()
        if not may(self.request.user, file.practice_id, self.write_action):
            raise PermissionDenied
        refusal = give(word, file.pk)
        if refusal:
            return Response(body(409, f"nothing_to_{word}", refusal, {}), 409)
        file.refresh_from_db(fields=["status"])
        return answer(self.request, Received(file.pk, True, file.status, ""))

    def get_file(self) -> EdiFile:
        """Get the addressed file, or raise Http404."""
        file: EdiFile | None = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if file is None:
            raise Http404
        return file

    def answer_children(self, children: QuerySet[Any, Any], serializer_class: type[Serializer[Any]]) -> Response:
        shape = get_shape(serializer_class)
        page = self.paginate_queryset(select(self.filter_queryset(children), shape)) or []
        return self.get_paginated_response(self.show_rows(page, shape))


def uploaded(request: Request) -> tuple[Any, str]:
    """Get the stream of an upload and its name. Raises ValidationError where there is no file."""
    name = request.query_params.get("name", "")
    if not isinstance(request.data, dict):
        return request.data, name
    files = request.FILES.getlist("file")
    if len(files) == 1:
        return files[0], name or files[0].name
    if request.FILES or request.content_type.startswith("multipart/"):
        raise ValidationError({"file": ["Send exactly one file, in the field `file`."]})
    # without a length the server hands no body over, and an empty file is not what was meant
    if request.META.get("CONTENT_LENGTH") != "0":
        raise LengthRequired
    return iter(()), name


class Digested:
    """A stream that is hashed while it is read; the digest names all of it, and what else says it is the same."""

    def __init__(self, stream: Any, named: str):
        self.pieces = pieces(stream)
        self.hash = hashlib.sha256(named.encode())

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.hash.update(piece)
            yield piece

    def digest(self) -> str:
        """Read what is left, and name the whole."""
        for piece in self.pieces:
            self.hash.update(piece)
        return self.hash.hexdigest()


class Unfinished:
    """A person's files that are not finished, and those that were not when first seen: their end is told as well."""

    def __init__(self, files: QuerySet[EdiFile]):
        self.files = files.exclude(status__in=FINISHED).order_by("id")
        self.seen: set[int] = set()

    def find(self) -> list[int]:
        self.seen.update(self.files.values_list("id", flat=True)[:MOST_FILES])
        return sorted(self.seen)[-MOST_FILES:]


def most_bytes() -> int:
    return int(settings.EDI_MOST_BYTES)


def get_practice(request: Request) -> Practice:
    """Get the practice that an upload is for: by its code, or the only one where the person may upload."""
    code = request.query_params.get("practice") or (
        request.data.get("practice") if isinstance(request.data, dict) else ""
    )
    practices = find_practices(request.user, Action.UPLOAD)
    found = list(practices.filter(code=code) if code else practices[:2])
    if len(found) == 1:
        return found[0]
    sentence = "You may not upload for this practice." if code else "Say for which practice: `practice`, its code."
    raise ValidationError({"practice": [sentence]})


def refuse(refusal: NotReceived) -> Response:
    code = CODES.get(refusal.status_code, "refused")
    return Response(body(refusal.status_code, code, refusal.sentence, {}), refusal.status_code)


def answer(request: Request, received: Received) -> Response:
    """Say what became of an upload."""
    url = reverse("file-detail", args=[received.file_id], request=request)
    if received.is_new and received.status == FileStatus.REFUSED:
        status_code = 415 if received.kind in MEDIA else 422
        details = {"id": received.file_id, "url": url}
        return Response(body(status_code, "not_x12", received.reason, details), status_code)
    uploaded = {"id": received.file_id, "status": received.status, "is_duplicate": not received.is_new, "url": url}
    return Response(uploaded, 202 if received.is_new else 200)


def read_held(held: Quarantine) -> list[dict[str, Any]]:
    """Read a quarantined claim's segments from its file, as they came."""
    span = Span(held.byte_from, held.segment_position, read(held.file_id, held.byte_from, held.byte_to))
    if held.chunk is None:
        return [segment(span.offset, span.position, span.data.decode("latin-1"))]
    separators = read_separators(held.chunk.separators)
    found = read_segments(span, separators)
    return [segment(offset, position, separators.element.join(elements)) for offset, position, elements in found]


def segment(offset: int, position: int, text: str) -> dict[str, Any]:
    return {"byte_offset": offset, "segment_position": position, "text": text}
