"""The lists and pages of remittances and payments. Both come from files: nothing here can be changed."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from marb.access.masking import mask_member_id
from marb.core.admin import RecordAdmin
from marb.core.list_filters import DayRangeFilter, RelatedFilter
from marb.core.templatetags.marb import money
from remits.models import Payment, Remittance, RemittanceStatus
from remits.page import payment_page, remittance_page
from remits.words import CLAIM_STATUS

STATUS_TONES = {
    RemittanceStatus.PROCESSED.label: "success",
    RemittanceStatus.ERROR.label: "danger",
    RemittanceStatus.PENDING.label: "info",
}
BALANCE_TONES = {"Balanced": "success", "Does not balance": "danger", "Not settled yet": "info"}


class ClaimStatusFilter(DropdownFilter):
    title = "what the payer says"
    parameter_name = "claim_status_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(CLAIM_STATUS.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(claim_status_code=self.value()) if self.value() else queryset


class BalanceFilter(DropdownFilter):
    title = "balance"
    parameter_name = "balance"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unbalanced", "Does not balance"), ("balanced", "Balanced"), ("open", "Not settled yet")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        conditions = {
            "unbalanced": Q(difference_amount__isnull=False) & ~Q(difference_amount=0),
            "balanced": Q(difference_amount=0),
            "open": Q(difference_amount__isnull=True),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


@admin.register(Remittance)
class RemittanceAdmin(RecordAdmin):
    page_template = "remits/remittance.html"
    list_display = ("number", "state", "patient", "payer_name", "says", "charge", "adjusted", "owed", "paid")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ClaimStatusFilter,
        ("payer", RelatedFilter),
        ("created_at", DayRangeFilter),
    )
    list_select_related = ("payer",)
    linked = ("file", "payment")
    newest = ("-created_at", "-id")
    search_fields = ("patient_control_number",)
    search_help_text = "Control number, the payer's claim number, or the patient's last name (Last, First)"
    export_columns = (
        ("remittance", lambda row: row.pk),
        ("control_number", lambda row: row.patient_control_number),
        ("patient", lambda row: patient_of(row)),
        ("member_id", lambda row: mask_member_id(row.member_id)),
        ("payer", lambda row: row.payer and row.payer.name),
        ("claim_status_code", lambda row: row.claim_status_code),
        ("status", lambda row: row.get_status_display()),
        ("charge_amount", lambda row: row.charge_amount),
        ("adjustment_amount", lambda row: row.adjustment_amount),
        ("patient_responsibility_amount", lambda row: row.patient_responsibility_amount),
        ("paid_amount", lambda row: row.paid_amount),
    )

    def find(self, request: HttpRequest, term: str) -> Q:
        last, _, first = (part.strip() for part in term.partition(","))
        named = Q(patient_last_name__istartswith=last) & (Q(patient_first_name__istartswith=first) if first else Q())
        numbers = Q(payer_claim_control_number=term) & ~Q(payer_claim_control_number="")
        return Q(patient_control_number__startswith=term) | numbers | named

    def page(self, request: HttpRequest, record: Remittance) -> dict[str, Any]:
        return remittance_page(request, record)

    @display(description="Control number")
    def number(self, remittance: Remittance) -> str:
        return remittance.patient_control_number or f"(none) {remittance.pk}"

    @display(description="Patient", empty_value="")
    def patient(self, remittance: Remittance) -> str:
        return patient_of(remittance)

    @display(description="Payer", empty_value="")
    def payer_name(self, remittance: Remittance) -> str | None:
        return remittance.payer.name if remittance.payer else None

    @display(description="Payer says")
    def says(self, remittance: Remittance) -> str:
        return CLAIM_STATUS.get(remittance.claim_status_code, remittance.claim_status_code)

    @display(description="Charge")
    def charge(self, remittance: Remittance) -> str:
        return money(remittance.charge_amount)

    @display(description="Adjusted")
    def adjusted(self, remittance: Remittance) -> str:
        return money(remittance.adjustment_amount)

    @display(description="Patient owes")
    def owed(self, remittance: Remittance) -> str:
        return money(remittance.patient_responsibility_amount)

    @display(description="Paid")
    def paid(self, remittance: Remittance) -> str:
        return money(remittance.paid_amount)

    @display(description="Status", label=STATUS_TONES)
    def state(self, remittance: Remittance) -> str:
        return remittance.get_status_display()


def patient_of(remittance: Remittance) -> str:
    """Write a patient as lists do: the last name and the first initial."""
    last, first = remittance.patient_last_name, remittance.patient_first_name
    return f"{last}, {first[:1]}." if first else last


@admin.register(Payment)
class PaymentAdmin(RecordAdmin):
    page_template = "remits/payment.html"
    list_display = ("number", "state", "payer_name", "payee_name", "method_code", "paid_on", "amount", "difference")
    list_filter = (BalanceFilter, ("payer", RelatedFilter), ("payment_date", DayRangeFilter))
    linked = ("file",)
    newest = ("-payment_date", "-id")
    search_fields = ("trace_number",)
    search_help_text = "Check or transfer number"
    export_columns = (
        ("payment", lambda row: row.pk),
        ("trace_number", lambda row: row.trace_number),
        ("payer", lambda row: row.payer_name),
        ("payment_date", lambda row: row.payment_date),
        ("payment_amount", lambda row: row.payment_amount),
        ("claim_paid_amount", lambda row: row.claim_paid_amount),
        ("provider_adjustment_amount", lambda row: row.provider_adjustment_amount),
        ("difference_amount", lambda row: row.difference_amount),
    )

    def find(self, request: HttpRequest, term: str) -> Q:
        return Q(trace_number__startswith=term)

    def page(self, request: HttpRequest, record: Payment) -> dict[str, Any]:
        return payment_page(request, record)

    @display(description="Check or transfer")
    def number(self, payment: Payment) -> str:
        return payment.trace_number or f"(none) {payment.pk}"

    @display(description="Date", empty_value="")
    def paid_on(self, payment: Payment) -> str | None:
        return f"{payment.payment_date:%m/%d/%Y}" if payment.payment_date else None

    @display(description="Amount")
    def amount(self, payment: Payment) -> str:
        return money(payment.payment_amount)

    @display(description="Difference", empty_value="")
    def difference(self, payment: Payment) -> str | None:
        return money(payment.difference_amount) if payment.difference_amount else None

    @display(description="Balance", label=BALANCE_TONES)
    def state(self, payment: Payment) -> str:
        if payment.difference_amount is None:
            return "Not settled yet"
        return "Balanced" if payment.is_balanced else "Does not balance"
