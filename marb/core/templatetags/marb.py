"""How the admin's pages write amounts, counts and codes."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from marb.core.pages import draw_sections

register = template.Library()


@register.filter
def money(amount: Decimal | None) -> str:
    """Write dollars: 1234.5 as $1,234.50, -12 as -$12.00, nothing for None."""
    if amount is None or amount == "":
        return ""
    amount = Decimal(amount)
    return f"-${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"


@register.filter
def quantity(count: Decimal | None) -> str:
    """Write a quantity without idle zeros: 2.000000 as 2, 0.5 as 0.5."""
    return "" if count is None else f"{count:f}".rstrip("0").rstrip(".") if "." in f"{count:f}" else f"{count:f}"


@register.filter
def counted(count: int | None) -> str:
    """Write a count with commas, 0 for None."""
    return f"{count or 0:,}"


@register.filter
def joined(codes: list[Any] | None) -> str:
    return " ".join(str(code) for code in codes or ())


BADGES = {
    "good": {"processed", "accepted", "complete", "done", "A"},
    "warn": {"incomplete", "partial", "running", "received", "leased", "errors", "W", "E", "P"},
    "bad": {"error", "rejected", "refused", "denied", "parked", "C", "T", "G", "X", "R"},
    "info": {"linked", "kept", "noted"},
}


def tone_of(status: str) -> str:
    """Get the colour of a status: good, warn, bad, info or plain."""
    return next((tone for tone, statuses in BADGES.items() if status in statuses), "plain")


@register.simple_tag
def badge(status: str, text: str) -> SafeString:
    return format_html('<span class="m-badge m-{}">{}</span>', tone_of(status), text)


@register.simple_tag(takes_context=True)
def every_page(context: Any) -> SafeString:
    """Draw what apps add above every page of the admin (marb.core.sections, kind "every page")."""
    request = context.get("request")
    drawn = draw_sections("every page", None, request) if request else []
    return format_html_join("", "{}", ((part.content,) for part in drawn))
