"""The one base of every admin page: scoped by practice, read-only, with a cost that does not grow with the table.

The invariant: a row reaches a page, a filter's choice, an autocomplete, an export or a history only through the
model's `for_user`; another practice's row is a 404. A member of a practice who is staff may view without Django's
per-model permissions. What a role may change is said by the few admins that change something (marb.access.roles).
There is no date hierarchy: its list of days reads a whole year of rows; date ranges use the index instead.
"""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from marb.core.estimate import EstimatedPaginator
from marb.core.export import Column, stream_csv
from marb.core.list_filters import PracticeFilter, lookups_of
from marb.core.reads import note, note_objects

MOST_SEARCH_CHARACTERS = 200


def practice_ids(request: HttpRequest) -> list[int]:
    """Get the ids of a person's practices, all for a superuser; one query a request."""
    if not hasattr(request, "marb_practice_ids"):
        practices = apps.get_model("access", "Practice")._default_manager.for_user(request.user)
        request.marb_practice_ids = list(practices.values_list("id", flat=True))  # type: ignore[attr-defined]
    return request.marb_practice_ids  # type: ignore[attr-defined]


def is_member(request: HttpRequest) -> bool:
    """Say whether a person may see the admin's pages at all: staff, and a superuser or member of a practice."""
    user: Any = request.user
    return bool(user.is_active and user.is_staff and (user.is_superuser or practice_ids(request)))


class ScopedChangeList(ChangeList):
    """A list whose heading leaves the count to the foot: nothing counts the whole table for "show all"."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count
        note_objects(request, self.result_list)


class ScopedAdmin(ModelAdmin):
    """A model's list and pages for the members of its practice; nothing can be added, changed or deleted.

    `find(term)` answers the condition of a search, over indexed columns only. `linked` names the foreign keys that
    other pages' links may filter by. `export_columns` turns the CSV export on.
    """

    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = EstimatedPaginator
    list_filter_submit = True
    list_fullwidth = True
    empty_value_display = ""
    sortable_by: Any = ()
    actions: Any = ()
    newest: tuple[str, ...] = ("-id",)
    linked: tuple[str, ...] = ()
    export_columns: tuple[Column, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.model._default_manager.for_user(request.user)
        if not request.user.is_superuser:
            # the practice by its number lets the planner walk the (practice, date) index
            ids = practice_ids(request)
            rows = rows.filter(practice_id=ids[0]) if len(ids) == 1 else rows
        return rows.order_by(*self.get_ordering(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ScopedChangeList

    def get_ordering(self, request: HttpRequest) -> Any:
        """Newest first, by the index (practice, date); by key for a superuser, whose list has no practice."""
        return ("-id",) if request.user.is_superuser else self.newest

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        note_objects(request, [found])
        return found

    def find(self, request: HttpRequest, term: str) -> Q:
        """Get the condition of a search; asked only where `search_fields` shows a search box."""
        raise NotImplementedError

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if len(term) > MOST_SEARCH_CHARACTERS or "\x00" in term:
            raise BadRequest("A search has at most 200 characters.")
        if not term or not self.search_fields:
            return queryset, False
        return queryset.filter(self.find(request, term), practice__in=practice_ids(request)), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in lookups_of((*self.list_filter, *self.linked))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = list(super().get_list_display(request))
        return [*shown, "practice"] if len(practice_ids(request)) > 1 and self.has_practice else shown

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*self.list_filter, PracticeFilter] if self.has_practice else list(self.list_filter)

    def get_list_select_related(self, request: HttpRequest) -> Any:
        related = tuple(self.list_select_related or ())
        return (*related, "practice") if self.has_practice and len(practice_ids(request)) > 1 else related or False

    @property
    def has_practice(self) -> bool:
        return any(field.name == "practice" for field in self.opts.fields)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        if self.export_columns and self.has_export_permission(request):
            actions["export"] = (export, "export", "Export selected rows as CSV")
        return actions

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if any("\x00" in value for _, values in request.GET.lists() for value in values):
            raise BadRequest("NUL in a filter.")
        return super().changelist_view(request, extra_context)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_member(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_member(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return is_member(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RecordAdmin(ScopedAdmin):
    """Rows that come from files: the change page is a page of ours, drawn from `page_template` and `page()`."""

    page_template = "marb/page.html"

    def page(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """Get the page's context beside the admin's own: "title" and what the template names."""
        raise NotImplementedError

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        record = self.get_object(request, unquote(object_id))
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request, record):
            raise PermissionDenied
        frame = {"opts": self.opts, "original": record, "record": record, "media": self.media, "is_fullwidth": "1"}
        context = {**self.admin_site.each_context(request), **frame, **self.page(request, record)}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.page_template, context)


@admin.action(description="Export selected rows as CSV")
def export(model_admin: ScopedAdmin, request: HttpRequest, queryset: QuerySet[Any]) -> StreamingHttpResponse:
    """Stream the selected rows; the selection is already narrowed by scope, filters and search."""
    if not model_admin.has_export_permission(request):
        raise PermissionDenied
    related = model_admin.get_list_select_related(request)
    rows = queryset.select_related(*related) if related else queryset
    note(request, read_of(queryset, request), "export")
    return stream_csv(request, model_admin.opts.model_name or "rows", model_admin.export_columns, rows)


def read_of(queryset: QuerySet[Any], request: HttpRequest) -> list[tuple[int, int | None]]:
    """Get the rows that an export shows, for the audit, as (id, practice id); none where all that match were asked for.

    Of the practice, whose auditor sees who took its rows; what was asked for and is out of reach is none of it.
    """
    if request.POST.get("select_across") == "1":
        return []
    has_practice = any(field.name == "practice" for field in queryset.model._meta.fields)
    if not has_practice:
        return [(pk, None) for pk in queryset.values_list("pk", flat=True) if isinstance(pk, int)]
    return list(queryset.values_list("pk", "practice_id"))
