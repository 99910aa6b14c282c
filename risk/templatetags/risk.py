"""A level of risk as a badge in its colour."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
TONES = {"low": "good", "medium": "info", "high": "warn", "critical": "bad"}


@register.simple_tag
def risk_badge(level: str, text: str) -> SafeString:
    return format_html('<span class="m-badge m-{}">{}</span>', TONES.get(level, "plain"), text)
