"""Denial patterns, read-only: detection writes them."""

from django.contrib import admin

from marb.core.admin import ScopedAdmin
from marb.core.list_filters import RelatedFilter
from risk.models import DenialPattern


@admin.register(DenialPattern)
class DenialPatternAdmin(ScopedAdmin):
    list_display = ("pattern_description", "payer", "denial_reason_code", "occurrence_count", "frequency")
    list_filter = (("payer", RelatedFilter),)
    list_select_related = ("payer",)
    newest = ("-occurrence_count", "id")
