"""Payers, plans and providers. Files make them; what staff may set beside (rules, deadlines) is said by the roles.

The code by which files name a payer or provider is never changed here: linking and loading go by it.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from marb.access.roles import Action, may, may_anywhere
from marb.core.admin import ScopedAdmin
from marb.core.list_filters import RelatedFilter
from marb.core.pages import draw_sections
from marb.parties.models import Payer, Plan, Provider


class PartyAdmin(ScopedAdmin):
    """A payer, plan or provider: viewed by members, changed by those whose role in its practice allows it."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return may_anywhere(request.user, Action.CHANGE_PARTIES)
        return may(request.user, obj.practice_id, Action.CHANGE_PARTIES)

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.newest


@admin.register(Payer)
class PayerAdmin(PartyAdmin):
    list_display = ("name", "payer_code", "payer_type", "timely_filing_days", "appeal_days")
    list_filter = (("payer_type", ChoicesDropdownFilter),)
    newest = ("name", "id")
    # what upper apps add to the page: a payer's denial patterns
    change_form_after_template = "marb/sections.html"
    search_fields = ("name",)
    search_help_text = "Payer id, or the beginning of the name"
    readonly_fields = ("practice", "payer_code", "created_at")
    fieldsets = (
        (None, {"fields": ("name", "payer_code", "payer_type")}),
        ("Deadlines and rules", {"fields": ("timely_filing_days", "appeal_days", "rules")}),
        ("Record", {"fields": ("practice", "created_at")}),
    )

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **kwargs: Any) -> Any:
        drawn = draw_sections("payer", obj, request) if obj is not None else []
        return super().render_change_form(request, {**context, "sections": drawn}, *args, obj=obj, **kwargs)

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(payer_code=term.upper()) | Q(name__istartswith=term)


@admin.register(Plan)
class PlanAdmin(PartyAdmin):
    list_display = ("plan_name", "plan_code", "plan_type", "payer")
    list_filter = (("payer", RelatedFilter),)
    list_select_related = ("payer",)
    newest = ("plan_name", "id")
    search_fields = ("plan_name",)
    readonly_fields = ("practice", "payer", "plan_code")
    fieldsets = ((None, {"fields": ("plan_name", "plan_code", "plan_type", "payer", "benefit_rules", "practice")}),)

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(plan_code=term) | Q(plan_name__istartswith=term)


@admin.register(Provider)
class ProviderAdmin(PartyAdmin):
    list_display = ("name", "npi", "specialty", "taxonomy_code")
    newest = ("name", "id")
    search_fields = ("name",)
    search_help_text = "NPI, or the beginning of the name"
    readonly_fields = ("practice", "provider_code", "npi", "tax_number", "created_at")
    fieldsets = (
        (None, {"fields": ("name", "npi", "provider_code", "tax_number")}),
        ("Set by staff", {"fields": ("specialty", "taxonomy_code")}),
        ("Record", {"fields": ("practice", "created_at")}),
    )

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(npi=term) | Q(name__istartswith=term)
