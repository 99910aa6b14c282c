"""The tables behind denials: what adjustments mean, the codes that nobody has mapped, and the published code lists.

Shipped meanings are everybody's to read and a superuser's to change; a practice's own are changed by those who may
change its payers. Every change settles anew what it meets (episodes.remap).
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.db.models import ForeignKey, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from claims.admin.fees import PublicAdmin
from episodes.codes import words_of
from episodes.models import CodeKind, CodeList, DenialCategory, DenialReason
from episodes.remap import category_choices, find_unmapped, follow, map_code
from marb.access.models import Practice
from marb.access.roles import Action, find_practices, is_superuser, may, may_anywhere
from marb.core.admin import MOST_SEARCH_CHARACTERS, ScopedAdmin, practice_ids
from remits.words import REASON


def may_change(request: HttpRequest, reason: DenialReason | None) -> bool:
    """Say whether a person may change a meaning, or any at all."""
    if is_superuser(request.user):
        return True
    if reason is None:
        return may_anywhere(request.user, Action.CHANGE_PARTIES)
    return reason.practice_id is not None and may(request.user, reason.practice_id, Action.CHANGE_PARTIES)


class MappingForm(forms.Form):
    """What the button of a code to map sends."""

    practice = forms.IntegerField(min_value=1)
    group_code = forms.CharField(max_length=2, required=False)
    carc = forms.CharField(max_length=5)
    category = forms.ChoiceField(choices=DenialCategory.choices)


@admin.register(DenialReason)
class DenialReasonAdmin(ScopedAdmin):
    list_display = ("reason", "group_shown", "remark", "words", "is_denial", "kind", "todo", "is_correctable", "whose")
    list_filter = (("category", ChoicesDropdownFilter), ("strategy", ChoicesDropdownFilter))
    list_select_related = ("practice",)
    newest = ("carc", "group_code", "rarc", "-practice_id")
    search_fields = ("carc",)
    search_help_text = "A reason (CARC) or remark (RARC) code"
    fields = ("practice", "group_code", "carc", "rarc", "is_denial", "category", "strategy", "is_correctable")
    export_columns = (
        ("practice", lambda row: row.practice.code if row.practice else ""),
        ("group_code", lambda row: row.group_code),
        ("carc", lambda row: row.carc),
        ("rarc", lambda row: row.rarc),
        ("is_denial", lambda row: "yes" if row.is_denial else "no"),
        ("category", lambda row: row.category),
        ("strategy", lambda row: row.strategy),
        ("is_correctable", lambda row: "yes" if row.is_correctable else "no"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        loaded = CodeList.objects.filter(kind=CodeKind.CARC, code=OuterRef("carc")).values("description")
        return DenialReason.objects.for_user(request.user).annotate(said=Subquery(loaded)).order_by(*self.newest)

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.newest

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(carc=term.upper()) | Q(rarc=term.upper())

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if len(term) > MOST_SEARCH_CHARACTERS or "\x00" in term:
            raise BadRequest("A search has at most 200 characters.")
        return (queryset.filter(self.find(request, term)) if term else queryset), False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return list(self.list_display)

    def get_list_select_related(self, request: HttpRequest) -> Any:
        return self.list_select_related

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A meaning stays with whom it holds for."""
        return () if obj is None else ("practice",)

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "practice" and field is not None:
            field.queryset = find_practices(request.user, Action.CHANGE_PARTIES)
            # without a practice it would hold for everybody
            field.required = not is_superuser(request.user)
            field.initial = field.queryset.first() if field.required else None
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = DenialReason.objects.filter(pk=obj.pk).values_list("carc", flat=True) if change else []
        also = tuple(before)
        obj.carc, obj.rarc, obj.group_code = obj.carc.upper(), obj.rarc.upper(), obj.group_code.upper()
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            follow(obj, also=also)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            super().delete_model(request, obj)
            follow(obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_change(request, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request, obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.unmapped_view)
        return [path("unmapped/", view, name="episodes_denialreason_unmapped"), *super().get_urls()]

    def unmapped_view(self, request: HttpRequest) -> HttpResponse:
        """Show the codes that no row speaks of, and map one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self.map_one(request)
        words = words_of(CodeKind.CARC)
        practices = Practice.objects.filter(pk__in=practice_ids(request))
        groups = [
            {
                "practice": practice,
                "codes": [(code, words.get(code.carc, "")) for code in find_unmapped(practice.pk)],
                "may_map": may(request.user, practice.pk, Action.CHANGE_PARTIES),
            }
            for practice in practices
        ]
        frame = {"title": "Codes to map", "opts": self.opts, "groups": groups, "categories": category_choices()}
        context = {**self.admin_site.each_context(request), **frame, "is_fullwidth": "1", "media": self.media}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "episodes/unmapped.html", context)

    def map_one(self, request: HttpRequest) -> HttpResponse:
        form = MappingForm(request.POST)
        if not form.is_valid():
            messages.warning(request, "Choose what the code means. Nothing was changed.")
            return redirect("admin:episodes_denialreason_unmapped")
        asked = form.cleaned_data
        if not may(request.user, asked["practice"], Action.CHANGE_PARTIES):
            raise PermissionDenied
        made = map_code(asked["practice"], asked["group_code"].upper(), asked["carc"].upper(), asked["category"])
        messages.success(request, f"{made} is {made.get_category_display().lower()} from now on.")
        return redirect("admin:episodes_denialreason_unmapped")

    @display(description="Reason")
    def reason(self, reason: DenialReason) -> str:
        return reason.carc

    @display(description="Group")
    def group_shown(self, reason: DenialReason) -> str:
        return reason.group_code or "Any"

    @display(description="Remark")
    def remark(self, reason: DenialReason) -> str:
        return reason.rarc or "Any"

    @display(description="In words")
    def words(self, reason: Any) -> str:
        return reason.said or REASON.get(reason.carc, "")

    @display(description="Category")
    def kind(self, reason: DenialReason) -> str:
        return reason.get_category_display()

    @display(description="To do")
    def todo(self, reason: DenialReason) -> str:
        return reason.get_strategy_display()

    @display(description="Holds for")
    def whose(self, reason: DenialReason) -> str:
        return reason.practice.name if reason.practice else "Everybody"


@admin.register(CodeList)
class CodeListAdmin(PublicAdmin):
    """Loaded code lists; `manage.py load_codes` brings them."""

    list_display = ("code", "kind", "description", "start_date", "end_date")
    list_filter = (("kind", ChoicesDropdownFilter),)
    newest = ("kind", "code")
    search_fields = ("code",)
    search_help_text = "A whole code"

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(code=term)
