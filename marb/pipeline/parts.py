"""/uploads/: a file in parts (marb.pipeline.resumable), for what breaks off on its way.

POST begins it with its name and length; PATCH sends a part with the header `Upload-Offset`; HEAD tells where to go on;
the last part answers what a whole upload would. DELETE gives it up. Headers and media type are those of tus 1.0, the
beginning is JSON. Members see their practices' uploads; only who began one may go on with it.
"""

import io
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied, UnsupportedMediaType, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from marb.access.idempotency import idempotent
from marb.access.roles import Action
from marb.core.filters import RowFilterSet
from marb.core.paginator import KeyPagination
from marb.core.parser import StrictParser, TooLarge
from marb.core.viewsets import ReadOnlyViewSet
from marb.pipeline import resumable, serializers
from marb.pipeline.api import answer, get_practice, most_bytes, refuse
from marb.pipeline.body import Counted, PartParser
from marb.pipeline.models import Upload
from marb.pipeline.receive import NotReceived, Received

OFFSET, LENGTH = "Upload-Offset", "Upload-Length"
TELLS = OpenApiParameter(OFFSET, int, OpenApiParameter.HEADER, response=[200, 204], description="Where it goes on.")
TAKES = OpenApiParameter(
    OFFSET, {"type": "integer", "minimum": 0}, OpenApiParameter.HEADER, required=True, description="Where it begins."
)


class UploadViewSet(ReadOnlyViewSet):
    """Uploads in parts that are not swept away yet."""

    queryset = Upload.objects.all()
    serializer_class = serializers.UploadSerializer
    detail_class = serializers.UploadSerializer
    filterset_class = RowFilterSet
    parser_classes = (StrictParser, PartParser)
    parameters = KeyPagination.parameters
    write_action = Action.UPLOAD
    kind = "upload"
    http_method_names = ("get", "head", "post", "patch", "delete")

    @extend_schema(request=serializers.UploadBeginSerializer, responses={201: serializers.UploadSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Begin an upload. 409 where too many are unfinished."""
        if isinstance(request.data, Counted):
            raise UnsupportedMediaType(request.content_type)
        serializer = serializers.UploadBeginSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data
        if wanted["byte_count"] > most_bytes():
            raise TooLarge(f"The file is larger than {most_bytes():,} bytes.")
        values = {"name": wanted["name"], "byte_count": wanted["byte_count"], "user_id": request.user.pk}
        upload = resumable.begin(practice_id=get_practice(request).pk, **values)
        self.kwargs["pk"] = upload.pk
        begun = self.retrieve(request)
        begun.status_code = 201
        begun.headers["Location"] = reverse("upload-detail", args=[upload.pk], request=request)
        return begun

    @extend_schema(parameters=[TELLS])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer an upload; HEAD tells the same in its headers."""
        found = super().retrieve(request, *args, **kwargs)
        found.headers[OFFSET] = str(found.data["byte_offset"])
        found.headers[LENGTH] = str(found.data["byte_count"])
        return found

    @extend_schema(
        parameters=[TAKES, TELLS],
        request={"application/offset+octet-stream": {"type": "string", "format": "binary"}},
        responses={
            200: serializers.UploadedSerializer,
            202: serializers.UploadedSerializer,
            204: OpenApiResponse(description="The part is kept."),
        },
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add a part. The last one answers what became of the file. 409 names the right offset."""
        upload = self.get_own()
        part = read_part(request)
        try:
            kept = resumable.add_part(upload, read_offset(request), part)
        except resumable.WrongOffset as error:
            told = self.handle_exception(error)
            told.headers[OFFSET] = str(error.offset)
            return told
        done = answer_end(request, upload) if kept == upload.byte_count else Response(status=204)
        done.headers[OFFSET] = str(kept)
        return done

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give an upload up; a file that came of it stays."""
        self.get_own().delete()
        return Response(status=204)

    def get_own(self) -> Upload:
        """Get the addressed upload, or raise Http404 or, where somebody else began it, PermissionDenied."""
        upload: Upload = self.get_object()
        if upload.user_id != self.request.user.pk:
            raise PermissionDenied
        return upload


def read_part(request: Request) -> Counted:
    """Get the stream of a part, also of an empty one, which no parser is asked for. Raises UnsupportedMediaType."""
    if isinstance(request.data, Counted):
        return request.data
    if request.META.get("CONTENT_LENGTH") == "0" and request.content_type in ("", PartParser.media_type):
        return Counted(io.BytesIO(), 0)
    raise UnsupportedMediaType(request.content_type)


def read_offset(request: Request) -> int:
    text = request.headers.get(OFFSET, "")
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise ValidationError({OFFSET: ["A whole number: the byte at which the part begins."]})
    return int(text)


def answer_end(request: Request, upload: Upload) -> Response:
    """Finish an upload whose last byte is there; once finished, say again what file it is."""
    if upload.file is not None:
        return answer(request, Received(upload.file.pk, False, upload.file.status, upload.file.reason))
    try:
        return answer(request, resumable.finish(upload))
    except NotReceived as refusal:
        return refuse(refusal)
