"""Edit rules of a practice and its payers, and CMS's NCCI tables.

A rule is changed by those who may change payers, and holds from the next chunk on. NCCI rows come by `manage.py
load_ncci`: every member reads them, nobody changes them here.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from claims.admin.fees import AgreedAdmin, PublicAdmin
from claims.models import EditRule, NcciPair, UnitLimit
from claims.policy import DEMANDS, EDITS
from marb.core.list_filters import RelatedFilter


@admin.register(EditRule)
class EditRuleAdmin(AgreedAdmin):
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
