"""Cached answers of the API: one row, or the first page of a list, as bytes that are sent as they are.

A viewset says by `stamp` and `depends` what its answers stand on; the rest is the same for all. An entry is of one
practice and of one way to see it (identifiers in full or masked), so a person is answered from nothing but her own
practices' entries: another practice's row is not there, and that it is not there is cached too. What `expand=` adds is
cached where it says what it stands on (marb.core.sections); answers with `fields=` and later pages are made anew each
time.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import orjson
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.middleware.gzip import GZipMiddleware
from django.utils.text import compress_string
from rest_framework.request import Request
from rest_framework.response import Response

from marb.access.door import scope_of
from marb.access.roles import Action, may
from marb.core.bulk import BulkViewSet
from marb.core.cache.fill import Answer, Filled, fetch, fetch_many
from marb.core.cache.keys import EVERYBODY, SET, Wanted, hash_parameters, want_page, want_row
from marb.core.cache.memory import Memory
from marb.core.reads import note
from marb.core.renderer import plain
from marb.core.sections import find_depends
from marb.core.statements import Build, read_rows

FULL, MASKED = "full", "masked"
# what a page's own links begin with, until it is known who asks: no JSON text holds the byte
HERE = b"\0"
RESULTS = b'"results":'
# `fields` may leave out what the audit must know of each row
NOT_OF_PAGES = {"cursor", "fields"}
# how each row of a page begins; inside a text the quotes would be escaped
ROW = re.compile(rb'\{"id":([0-9]+),"practice":([0-9]+),')
JSON = "application/json"
GZIP = re.compile(r"\bgzip\b")
# a shorter body is sent as it is
LEAST_PACKED = 200
# what was sent compressed in the last moments, by content and host
PACKED = Memory(most_bytes=16 * 1024 * 1024)


class KeptViewSet(BulkViewSet):
    """A list and a detail whose detail is read by kept statements, and may be answered by marb.access.hits."""

    def read_row(self, request: Request) -> Response:
        """Answer one row as it is now, past the cache."""
        return super().retrieve(request)

    def fill_row(self, request: Request) -> Filled:
        try:
            shown = self.read_row(request).data
        except Http404:
            return Filled(None)
        return Filled(orjson.dumps(shown, default=plain), shown["practice"])

    def read_part(self, name: str | None, build: Build, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Read by a kept statement, which is one for each scope."""
        scope = scope_of(self.request.user)
        if name is None or not scope:
            return super().read_part(name, build, values)
        return read_rows((type(self), name, scope), build, values)


class CachedViewSet(KeptViewSet):
    """A list and a detail that are cached.

    `stamp` names what its rows are to the writers (marb.core.cache.stamps), `depends` what else its answers show.
    """

    stamp: ClassVar[str] = ""
    depends: ClassVar[tuple[str, ...]] = ()
    page_name: ClassVar[str] = "list"

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        wanted = want_detail(type(self), request.user, int(self.kwargs["pk"]), request.query_params)
        if not wanted:
            return super().retrieve(request, *args, **kwargs)
        found = fetch(wanted, lambda: self.fill_row(request))
        if found.body is None:
            raise Http404
        note(request, rows_of(found, self.kwargs["pk"]))
        return send(request._request, found)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        wanted = want_list(type(self), request.user, request.query_params)
        if wanted is None:
            return super().list(request, *args, **kwargs)
        found = fetch([wanted], lambda: self.fill_page(request))
        note(request, rows_of(found, ""))
        return send(request._request, found)

    def fill_page(self, request: Request) -> Filled:
        body = orjson.dumps(super().list(request).data, default=plain)
        head, results, rows = body.partition(RESULTS)
        return Filled(head.replace(b'"' + here(request._request), b'"' + HERE) + results + rows)

    def get_many(self, ids: Sequence[int]) -> dict[int, Any]:
        """Get rows by id from the cache, those that it has not by one query; each as JSON that is ready to send."""
        user = self.request.user
        if self.request.query_params or not scope_of(user):
            return super().get_many(ids)
        wanted = {number: want_rows(type(self), user, number, self.page_name) for number in ids}
        found = {number: each for number, each in fetch_many(wanted, self.fill_many).items() if each.body is not None}
        note(self.request, [row for number, each in found.items() for row in rows_of(each, str(number))])
        return {number: orjson.Fragment(found[number].body or b"null") for number in ids if number in found}

    def fill_many(self, ids: Sequence[int]) -> dict[int, Filled]:
        rows = super().get_many(ids)
        found = {number: Filled(orjson.dumps(row, default=plain), row["practice"]) for number, row in rows.items()}
        return {number: found.get(number, Filled(None)) for number in ids}


def prepare(
    view: type[KeptViewSet], action: str, request: HttpRequest, user: Any, **kwargs: Any
) -> tuple[Any, Request]:
    """Make a view as its own address would for a person who is known, and the request that it answers."""
    asked = Request(request)
    asked.user = user
    return view(action=action, request=asked, args=(), kwargs=kwargs, format_kwarg=None), asked


def want_detail(view: type[CachedViewSet], user: Any, pk: int, parameters: QueryDict) -> list[Wanted]:
    """Name a detail, with the parts that `expand=` adds; nothing where it is not to be cached."""
    if not parameters:
        return want_rows(view, user, pk)
    parts = parts_of(view, parameters)
    if parts is None or parameters.keys() != {"expand"}:
        return []
    return want_rows(view, user, pk, f"{parameters['expand']}:", parts)


def parts_of(view: type[CachedViewSet], parameters: QueryDict) -> tuple[str, ...] | None:
    """Find what the parts that are asked for stand on; None where an answer with them is not to be cached."""
    asked = parameters.getlist("expand")
    return find_depends(view.kind, asked[0].split(",")) if len(asked) == 1 else None if asked else ()


def want_rows(
    view: type[CachedViewSet], user: Any, pk: int, form: str = "", parts: tuple[str, ...] = ()
) -> list[Wanted]:
    """Name a row as each of a person's practices would have it; nothing where it cannot be cached for her.

    `form` says how it is shown where it is not the detail, `parts` what else it then stands on.
    """
    depends = (view.stamp, *view.depends, *parts)
    return [
        want_row(view.kind, pk, each, f"{form}{variant_of(user, each)}", depends)._replace(
            missing=(f"{view.stamp}{SET}",)
        )
        for each in scope_of(user)
    ]


def variant_of(user: Any, practice_id: int) -> str:
    sees_all = practice_id == EVERYBODY or may(user, practice_id, Action.SEE_IDENTIFIERS)
    return FULL if sees_all else MASKED


def want_list(view: type[CachedViewSet], user: Any, parameters: QueryDict) -> Wanted | None:
    """Name a list's first page by its parameters, whose values no key shows; None where it is not to be cached."""
    scope, parts = scope_of(user), parts_of(view, parameters)
    if not scope or parts is None or NOT_OF_PAGES & parameters.keys():
        return None
    depends = (f"{view.stamp}{SET}", *view.depends, *parts)
    return want_page(view.kind, view.page_name, scope, hash_parameters(dict(parameters.lists())), depends)


def rows_of(answer: Answer, number: str) -> list[tuple[int, int | None]]:
    """List the rows that an answer shows, as (id, practice id): the one of a detail's number, or those of a page."""
    if not number:
        return [(int(pk), int(practice_id)) for pk, practice_id in ROW.findall(answer.body or b"")]
    practice_id = answer.practice_id if answer.practice_id != EVERYBODY else None
    return [(int(number), practice_id)]


def send(request: HttpRequest, answer: Answer) -> HttpResponse:
    """Answer with the bytes, packed where the caller takes that, or 304 where the caller has them."""
    etag = f'"{answer.etag}"'
    if request.method in ("GET", "HEAD") and etag in request.META.get("HTTP_IF_NONE_MATCH", ""):
        response = HttpResponse(status=304)
        del response.headers["Content-Type"]
        response.headers["ETag"] = etag
        return response
    body = answer.body or b""
    body = body.replace(HERE, here(request)) if HERE in body else body
    if len(body) < LEAST_PACKED:
        return HttpResponse(body, content_type=JSON, headers={"ETag": etag})
    headers = {"Vary": "Accept-Encoding"}
    if GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", "")):
        body, etag = pack(answer.etag, body, here(request)), f"W/{etag}"
        headers["Content-Encoding"] = "gzip"
    return HttpResponse(body, content_type=JSON, headers=headers | {"ETag": etag})


def pack(etag: str, body: bytes, host: bytes) -> bytes:
    """Compress a body, or find it compressed: it is named by its content, so it can be no other's."""
    key = f"{etag} {host.decode()}"
    packed: bytes | None = PACKED.get(key)
    if packed is None:
        packed = compress_string(body, max_random_bytes=GZipMiddleware.max_random_bytes)
        PACKED.put(key, packed, len(packed))
    return packed


def here(request: HttpRequest) -> bytes:
    """Get how this caller names this server: `https://marb.example`."""
    return f"{request.scheme}://{request.get_host()}".encode()
