"""The upload page: several files at once, by drop or choice, each answered with a sentence a biller understands.

The script posts one file at a time and asks for JSON; without it the form posts all files and comes back as a page.
Who may upload, and for which practice, is marb.access.roles' word. The bytes are only handed on, streamed.
"""

from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from marb.access.models import Practice
from marb.access.roles import Action, find_practices
from marb.pipeline.intake import take_in
from marb.pipeline.models import FileStatus
from marb.pipeline.receive import NotReceived


class Answer(NamedTuple):
    """What came of one file: `outcome` is received, duplicate or refused; `url` is its page, if it has one."""

    name: str
    outcome: str
    sentence: str
    url: str
    status_code: int


def upload_view(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """Show the page (GET), or receive the files of a POST."""
    practices = list(find_practices(request.user, Action.UPLOAD))
    if not practices:
        raise PermissionDenied
    if request.method == "POST":
        return receive_all(request, chosen(request, practices))
    site = model_admin.admin_site
    frame = {"opts": model_admin.opts, "title": "Upload files", "practices": practices, "is_fullwidth": "1"}
    return TemplateResponse(request, "pipeline/upload.html", {**site.each_context(request), **frame})


def chosen(request: HttpRequest, practices: list[Practice]) -> Practice:
    """Get the practice that the form names, the only one where it names none. Raises PermissionDenied."""
    code = request.POST.get("practice", "")
    named = [practice for practice in practices if practice.code == code] if code else practices
    if len(named) != 1:
        raise PermissionDenied
    return named[0]


def receive_all(request: HttpRequest, practice: Practice) -> HttpResponse:
    answers = [receive_one(request, practice, file) for file in request.FILES.getlist("file")]
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"files": [answer._asdict() for answer in answers]}, status=status_of(answers))
    for answer in answers:
        level = messages.ERROR if answer.outcome == "refused" else messages.SUCCESS
        messages.add_message(request, level, f"{answer.name}: {answer.sentence}")
    if not answers:
        messages.error(request, "No file was chosen.")
        return redirect("admin:pipeline_edifile_upload")
    return redirect("admin:pipeline_edifile_changelist")


def status_of(answers: list[Answer]) -> int:
    return max((answer.status_code for answer in answers), default=400)


def receive_one(request: HttpRequest, practice: Practice, file: Any) -> Answer:
    try:
        received = take_in(practice_id=practice.pk, name=file.name, stream=file, user_id=request.user.pk)
    except NotReceived as error:
        return Answer(file.name, "refused", error.sentence, "", error.status_code)
    url = reverse("admin:pipeline_edifile_change", args=[received.file_id])
    if not received.is_new:
        return Answer(file.name, "duplicate", "These bytes were received before; nothing was changed.", url, 200)
    if received.status == FileStatus.REFUSED:
        return Answer(file.name, "refused", received.reason, url, 200)
    return Answer(file.name, "received", "Received. It is being read now.", url, 200)


def is_file_page(request: HttpRequest) -> bool:
    """Say whether the sidebar marks the files: on their pages, but for the upload page, which has its own entry."""
    upload = reverse("admin:pipeline_edifile_upload")
    return request.path.startswith(upload.removesuffix("upload/")) and request.path != upload
