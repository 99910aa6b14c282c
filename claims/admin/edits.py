"""Edit rules of a practice and its payers, and CMS's NCCI tables.

A rule is changed by those who may change payers, and holds from the next chunk on. NCCI rows come by `manage.py
load_ncci`: every member reads them, nobody changes them here.
"""

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey, Q
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from claims.admin.fees import PublicAdmin
from claims.models import EditRule, NcciPair, UnitLimit
from claims.policy import DEMANDS, EDITS
from marb.access.roles import Action, find_practices, may, may_anywhere
from marb.core.admin import ScopedAdmin
from marb.core.list_filters import RelatedFilter
from marb.parties.models import Payer


def may_change(request: HttpRequest, rule: EditRule | None) -> bool:
    """Say whether a person may change a rule, or any at all."""
    if rule is None:
        return may_anywhere(request.user, Action.CHANGE_PARTIES)
    return may(request.user, rule.practice_id, Action.CHANGE_PARTIES)


@admin.register(EditRule)
class EditRuleAdmin(ScopedAdmin):
    list_display = ("sentence", "payer", "level", "limit", "updated_at")
    list_filter = (("payer", RelatedFilter), ("level", ChoicesDropdownFilter))
    list_select_related = ("payer",)
    newest = ("code", "id")
    search_fields = ("code",)
    search_help_text = "The beginning of an edit's code, or the payer's id"
    autocomplete_fields = ("payer",)
    fields = ("practice", "payer", "code", "level", "limit")

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(code__istartswith=term) | Q(payer__payer_code=term.upper())

    @admin.display(description="Edit", ordering="code")
    def sentence(self, rule: EditRule) -> str:
        return {**EDITS, **DEMANDS}[rule.code].sentence

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A rule stays with its practice."""
        return () if obj is None else ("practice",)

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        practices = find_practices(request.user, Action.CHANGE_PARTIES)
        if db_field.name == "practice":
            kwargs["queryset"] = practices
            kwargs["initial"] = practices.first()
        if db_field.name == "payer":
            kwargs["queryset"] = Payer.objects.filter(practice__in=practices)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_change(request, None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request, obj)


@admin.register(NcciPair)
class NcciPairAdmin(PublicAdmin):
    list_display = (
        *("column_one_code", "column_two_code", "table", "effective_from_date", "effective_to_date"),
        "modifier_indicator",
    )
    list_filter = (("table", ChoicesDropdownFilter),)
    newest = ("table", "column_one_code", "column_two_code", "effective_from_date")
    search_fields = ("column_one_code",)
    search_help_text = "A whole code, of either column"

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(table__in=("practitioner", "hospital"), column_one_code=term) | Q(column_two_code=term)


@admin.register(UnitLimit)
class UnitLimitAdmin(PublicAdmin):
    list_display = ("procedure_code", "table", "unit_count", "adjudication_indicator", "effective_from_date")
    list_filter = (("table", ChoicesDropdownFilter),)
    newest = ("table", "procedure_code", "effective_from_date")
    search_fields = ("procedure_code",)
    search_help_text = "A whole code"

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(table__in=("practitioner", "hospital"), procedure_code=term)
