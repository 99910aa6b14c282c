"""Fee schedules, their rows and localities, contracts and modifier rules.

Schedules are public and come by `manage.py load_fee_schedule`: every member reads them, nobody changes them here. A
contract is a practice's own and is changed by those who may change its payers; the modifier rules that hold for all
practices are a superuser's. What is saved here holds from the next chunk on (claims.pricing); stored claims keep their
prices until `manage.py reprice`.
"""

from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db.models import ForeignKey, Q, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from claims.models import Contract, ContractFee, Fee, FeeModifier, FeeSchedule, Locality
from marb.access.roles import Action, find_practices, is_superuser, may, may_anywhere
from marb.core.admin import MOST_SEARCH_CHARACTERS, ScopedAdmin, practice_ids
from marb.core.list_filters import RelatedFilter
from marb.parties.models import Payer


class PublicAdmin(ScopedAdmin):
    """Rows that belong to no practice and that every member may read."""

    has_practice = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.model._default_manager.order_by(*self.newest)

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.newest

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip().upper()
        if len(term) > MOST_SEARCH_CHARACTERS or "\x00" in term:
            raise BadRequest("A search has at most 200 characters.")
        return (queryset.filter(self.find(request, term)) if term and self.search_fields else queryset), False


@admin.register(FeeSchedule)
class FeeScheduleAdmin(PublicAdmin):
    list_display = ("name", "year", "qualifier", "effective_from_date", "effective_to_date", "loaded_at")
    newest = ("-effective_from_date", "name")


@admin.register(Fee)
class FeeAdmin(PublicAdmin):
    list_display = (
        *("procedure_code", "modifier", "status_code", "work", "nonfacility_pe", "facility_pe", "malpractice"),
        *("conversion_factor", "multiple_procedure", "bilateral", "schedule"),
    )
    list_filter = (("schedule", RelatedDropdownFilter),)
    list_select_related = ("schedule",)
    newest = ("schedule_id", "procedure_code", "modifier")
    search_fields = ("procedure_code",)
    search_help_text = "A whole code"

    def find(self, request: HttpRequest, term: str) -> Q:
        # the index begins with the schedule
        schedules = list(FeeSchedule.objects.values_list("pk", flat=True))
        return Q(schedule__in=schedules, procedure_code=term)


@admin.register(Locality)
class LocalityAdmin(PublicAdmin):
    list_display = ("name", "state", "contractor", "locality", "work", "practice_expense", "malpractice", "schedule")
    list_filter = (("schedule", RelatedDropdownFilter),)
    list_select_related = ("schedule",)
    newest = ("schedule_id", "contractor", "locality")
    search_fields = ("state",)
    search_help_text = "State, or the contractor's number"

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(state=term) | Q(contractor=term)


def may_change(request: HttpRequest, row: Any) -> bool:
    """Say whether a person may change a row of a practice's own tables, or any at all."""
    if row is None:
        return may_anywhere(request.user, Action.CHANGE_PARTIES)
    return may(request.user, row.practice_id, Action.CHANGE_PARTIES)


class AgreedAdmin(ScopedAdmin):
    """What a practice holds with a payer: changed by those who may change its payers."""

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


class ModifierInline(TabularInline):
    """A contract's own modifier rules, which come before the general ones."""

    model = FeeModifier
    extra = 0
    fields = ("modifier", "effect", "percent", "indicator", "allowed")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change(request, obj)

    has_change_permission = has_delete_permission = has_add_permission


@admin.register(Contract)
class ContractAdmin(AgreedAdmin):
    list_display = ("name", "payer", "basis", "percent", "effective_from_date", "effective_to_date")
    list_filter = (("payer", RelatedFilter), ("basis", ChoicesDropdownFilter))
    list_select_related = ("payer",)
    newest = ("-effective_from_date", "-id")
    search_fields = ("name",)
    search_help_text = "The beginning of the contract's or the payer's name, or the payer's id"
    autocomplete_fields = ("payer",)
    inlines = (ModifierInline,)
    fieldsets = (
        (None, {"fields": ("practice", "payer", "name", "effective_from_date", "effective_to_date")}),
        ("Price", {"fields": ("basis", "percent", "reductions")}),
        ("Which of Medicare's prices", {"fields": ("qualifier", "contractor", "locality")}),
    )

    def find(self, request: HttpRequest, term: str) -> Q:
        payer = Q(payer__name__istartswith=term) | Q(payer__payer_code=term.upper())
        return Q(name__istartswith=term) | payer

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A contract stays with its practice and payer; another payer has another contract."""
        return () if obj is None else ("practice", "payer")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.version += 1 if change else 0
        super().save_model(request, obj, form, change)


@admin.register(ContractFee)
class ContractFeeAdmin(PublicAdmin):
    """The fees of contracts that have their own, below the person's practices. They come by `load_contracts`."""

    list_display = ("procedure_code", "modifier", "amount", "facility_amount", "contract")
    list_select_related = ("contract",)
    newest = ("contract_id", "procedure_code", "modifier")
    search_fields = ("procedure_code",)
    search_help_text = "A whole code"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(contract__practice__in=practice_ids(request))

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(procedure_code=term)


@admin.register(FeeModifier)
class FeeModifierAdmin(PublicAdmin):
    """The general rules, and those of the person's contracts, which are changed on the contract's page."""

    list_display = ("modifier", "effect", "percent", "indicator", "allowed", "contract")
    list_select_related = ("contract",)
    newest = ("modifier", "id")
    fields = ("modifier", "effect", "percent", "indicator", "allowed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine = Q(contract=None) | Q(contract__practice__in=practice_ids(request))
        return super().get_queryset(request).filter(mine)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request.user) and (obj is None or obj.contract_id is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)
