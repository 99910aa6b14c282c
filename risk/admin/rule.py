"""Rules of risk, edited by administrators and managers of their practice; each change keeps a rules version."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action

from marb.access.models import Practice
from marb.access.roles import Action, find_practices, may, may_anywhere
from marb.core.admin import ScopedAdmin
from marb.core.list_filters import RelatedFilter
from marb.parties.models import Payer
from risk.models import RiskRule, RuleSet
from risk.ruleset import copy_defaults, keep_version, read_rules


@admin.register(RiskRule)
class RiskRuleAdmin(ScopedAdmin):
    list_display = ("code", "component", "payer", "points", "is_critical", "message", "is_active")
    list_filter = (("component", ChoicesDropdownFilter), ("payer", RelatedFilter), "is_active")
    list_select_related = ("payer",)
    newest = ("component", "code", "id")
    actions_list = ("start_from_shipped",)
    fieldsets = (
        (None, {"fields": ("practice", "code", "component", "payer", "is_active")}),
        ("When it is met", {"fields": ("condition", "effective_from", "effective_to")}),
        ("What it gives and says", {"fields": ("points", "per", "is_critical", "message", "recommendation")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_anywhere(request.user, Action.CHANGE_PARTIES)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return may_anywhere(request.user, Action.CHANGE_PARTIES)
        return may(request.user, obj.practice_id, Action.CHANGE_PARTIES)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("practice",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        practices = find_practices(request.user, Action.CHANGE_PARTIES)
        if db_field.name == "practice":
            options["queryset"] = practices
        elif db_field.name == "payer":
            options["queryset"] = Payer.objects.filter(practice__in=practices)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not may(request.user, obj.practice_id, Action.CHANGE_PARTIES):
            raise PermissionDenied
        super().save_model(request, obj, form, change)
        keep_version(obj.practice_id, read_rules(obj.practice_id), request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        keep_version(obj.practice_id, read_rules(obj.practice_id), request.user)

    @action(description="Start from the shipped rules", url_path="start-from-shipped")
    def start_from_shipped(self, request: HttpRequest) -> HttpResponse:
        """Give each practice without rules of its own the shipped ones as rows that can be edited."""
        practices: list[Practice] = list(find_practices(request.user, Action.CHANGE_PARTIES))
        if not practices:
            raise PermissionDenied
        count = sum(copy_defaults(practice.pk) for practice in practices)
        sentence = f"{count} rules were copied." if count else "Every practice of yours has rules of its own already."
        messages.success(request, sentence)
        return HttpResponseRedirect(reverse("admin:risk_riskrule_changelist"))


@admin.register(RuleSet)
class RuleSetAdmin(ScopedAdmin):
    list_display = ("version", "made_at", "made_by", "is_shipped", "digest")
    list_select_related = ("made_by",)
    newest = ("-id",)
