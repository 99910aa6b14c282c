"""The claim list and the claim page. Claims come from files: nothing here can be changed."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from claims.api import find_answered
from claims.models import AnswerVerdict, Claim, ClaimStatus
from claims.page import claim_page
from claims.words import FREQUENCY
from marb.access.masking import mask_birth_date, mask_member_id
from marb.core.admin import RecordAdmin
from marb.core.list_filters import DayRangeFilter, RelatedFilter
from marb.core.templatetags.marb import money

STATUS_TONES = {
    ClaimStatus.PROCESSED.label: "success",
    ClaimStatus.INCOMPLETE.label: "warning",
    ClaimStatus.ERROR.label: "danger",
    ClaimStatus.PENDING.label: "info",
}


class FrequencyFilter(DropdownFilter):
    title = "frequency"
    parameter_name = "frequency_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(FREQUENCY.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(frequency_code=self.value()) if self.value() else queryset


class AnswerFilter(DropdownFilter):
    title = "answer"
    parameter_name = "answer"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*AnswerVerdict.choices, ("none", "No answer yet")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        known = {value for value, _ in self.lookup_choices}
        return find_answered(queryset, str(self.value())) if self.value() in known else queryset


def masked_patient(last: str, first: str) -> str:
    """Write a patient as lists do: the last name and the first initial."""
    return f"{last}, {first[:1]}." if first else last


@admin.register(Claim)
class ClaimAdmin(RecordAdmin):
    page_template = "claims/claim.html"
    list_display = ("number", "state", "patient", "payer_name", "provider_name", "service", "charge", "found")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("claim_type", ChoicesDropdownFilter),
        ("payer", RelatedFilter),
        FrequencyFilter,
        AnswerFilter,
        ("service_from_date", DayRangeFilter),
        ("created_at", DayRangeFilter),
    )
    list_select_related = ("payer", "billing_provider")
    linked = ("file",)
    newest = ("-created_at", "-id")
    search_fields = ("patient_control_number",)
    search_help_text = "Control number, member id, or the patient's last name (Last, First)"
    export_columns = (
        ("claim", lambda claim: claim.pk),
        ("control_number", lambda claim: claim.patient_control_number),
        ("claim_type", lambda claim: claim.get_claim_type_display()),
        ("status", lambda claim: claim.get_status_display()),
        ("patient", lambda claim: patient_of(claim)),
        ("birth_year", lambda claim: mask_birth_date(claim.patient_birth_date)),
        ("member_id", lambda claim: mask_member_id(claim.subscriber_member_id)),
        ("payer", lambda claim: claim.payer and claim.payer.name),
        ("billing_provider", lambda claim: claim.billing_provider and claim.billing_provider.name),
        ("service_from_date", lambda claim: claim.service_from_date),
        ("service_to_date", lambda claim: claim.service_to_date),
        ("frequency", lambda claim: claim.frequency_code),
        ("charge_amount", lambda claim: claim.charge_amount),
        ("expected_amount", lambda claim: claim.expected_amount),
        ("findings", lambda claim: claim.finding_count),
    )

    def find(self, request: HttpRequest, term: str) -> Q:
        last, _, first = (part.strip() for part in term.partition(","))
        named = Q(patient_last_name__istartswith=last) & (Q(patient_first_name__istartswith=first) if first else Q())
        return Q(patient_control_number__startswith=term) | Q(subscriber_member_id=term) | named

    def page(self, request: HttpRequest, record: Claim) -> dict[str, Any]:
        return claim_page(request, record)

    @display(description="Control number")
    def number(self, claim: Claim) -> str:
        return claim.patient_control_number or f"(none) {claim.pk}"

    @display(description="Patient")
    def patient(self, claim: Claim) -> str:
        born = mask_birth_date(claim.patient_birth_date or claim.subscriber_birth_date)
        return f"{patient_of(claim)} ({born})" if born else patient_of(claim)

    @display(description="Payer", empty_value="")
    def payer_name(self, claim: Claim) -> str | None:
        return claim.payer.name if claim.payer else None

    @display(description="Billing provider", empty_value="")
    def provider_name(self, claim: Claim) -> str | None:
        return claim.billing_provider.name if claim.billing_provider else None

    @display(description="Service", empty_value="")
    def service(self, claim: Claim) -> str | None:
        return f"{claim.service_from_date:%m/%d/%Y}" if claim.service_from_date else None

    @display(description="Charge")
    def charge(self, claim: Claim) -> str:
        return money(claim.charge_amount)

    @display(description="Status", label=STATUS_TONES)
    def state(self, claim: Claim) -> str:
        return claim.get_status_display()

    @display(description="Findings", empty_value="")
    def found(self, claim: Claim) -> int | None:
        return claim.finding_count or None


def patient_of(claim: Claim) -> str:
    if claim.patient_last_name:
        return masked_patient(claim.patient_last_name, claim.patient_first_name)
    return masked_patient(claim.subscriber_last_name, claim.subscriber_first_name)
