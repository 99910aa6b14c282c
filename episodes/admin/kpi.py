"""The page "Key figures": cards with target and trend, charts, a table by payer, and its CSV; each with its definition.

It stands in the place of the list of the sums, which are read by nobody one by one.
"""

import csv
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from episodes.kpiapi import BadChoice, read_choice
from episodes.kpiread import PAYER_KEYS, Choice, get_figures, lately
from episodes.kpis import BY_KEY, write
from episodes.rollups import MonthSum
from marb.access.models import Practice
from marb.core.admin import ScopedAdmin
from marb.core.export import plain_cell
from marb.parties.models import Payer, Provider

MOST_CHOICES = 500
SPARK_WIDTH, SPARK_HEIGHT = 120, 28
TRENDS = (
    ("clean_claim_rate", "#16a34a"),
    ("net_collection_rate", "#3b82f6"),
    ("first_pass_yield", "#7c3aed"),
    ("remittance_denial_rate", "#dc2626"),
)
MOST_BARS = 12
SOFT = "#9ca3af"


class Card(NamedTuple):
    """A figure as the page shows it; `points` draw its trend."""

    key: str
    title: str
    text: str
    tone: str
    goal: str
    definition: str
    source: str
    points: str


class Drawn(NamedTuple):
    """A chart of the admin's own Chart.js: JSON texts of its data and options."""

    title: str
    note: str
    kind: str
    data: str
    options: str
    is_empty: bool


@admin.register(MonthSum)
class MonthSumAdmin(ScopedAdmin):
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        today = timezone.now().date()
        try:
            choice = read_choice(request.GET, today)
        except BadChoice as refusal:
            messages.warning(request, f"{refusal.sentence} The last twelve months are shown.")
            choice = lately(today)
        found = get_figures(request.user, choice, today)
        if request.GET.get("export") == "csv":
            return send_csv(found)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Key figures"}
        context |= {"is_fullwidth": "1", **page_of(request, choice, found)}
        return TemplateResponse(request, "episodes/kpis.html", context)


def page_of(request: HttpRequest, choice: Choice, found: dict[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {"from": f"{choice.first:%Y-%m}", "to": f"{choice.last:%Y-%m}", "practice": choice.practice}
    asked |= {"payer": choice.payer or "", "provider": choice.provider or ""}
    return {
        "asked": asked,
        "choices": choices_of(request),
        "csv_query": urlencode({key: value for key, value in asked.items() if value} | {"export": "csv"}),
        "cards": [card_of(figure) for figure in found["figures"]],
        "charts": [ages_chart(found), denials_chart(found), trends_chart(found)],
        "columns": [BY_KEY[key] for key in PAYER_KEYS],
        "payers": [payer_cells(row) for row in found["payers"]],
        "submitted": found["submitted"],
        "today": timezone.now().date(),
    }


def choices_of(request: HttpRequest) -> dict[str, Any]:
    """Get what may be chosen, below the person's practices."""
    practices = list(Practice.objects.for_user(request.user).values_list("code", "name")[:MOST_CHOICES])
    payers, providers = (
        list(model.objects.for_user(request.user).order_by("name", "pk").values_list("pk", "name")[:MOST_CHOICES])
        for model in (Payer, Provider)
    )
    return {"practices": practices if len(practices) > 1 else [], "payers": payers, "providers": providers}


def card_of(figure: dict[str, Any]) -> Card:
    tone = {True: "good", False: "bad", None: "plain"}[figure["is_met"]]
    said = (figure["definition"], figure["reference"], spark(figure["trend"]))
    return Card(figure["key"], figure["title"], figure["text"], tone, figure["goal"], *said)


def spark(trend: Iterable[str | None]) -> str:
    """Draw a trend as the points of an SVG polyline; nothing where fewer than two months say something."""
    values = [None if text is None else float(text) for text in trend]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    step = SPARK_WIDTH / (len(values) - 1)
    places = ((at * step, value) for at, value in enumerate(values) if value is not None)
    return " ".join(f"{x:.1f},{height_of(value, low, high):.1f}" for x, value in places)


def height_of(value: float, low: float, high: float) -> float:
    return SPARK_HEIGHT / 2 if high == low else 2 + (SPARK_HEIGHT - 4) * (high - value) / (high - low)


def payer_cells(row: dict[str, Any]) -> dict[str, Any]:
    """Write a payer's figures: the text and the tone of each column."""
    cells = []
    for key in PAYER_KEYS:
        told = BY_KEY[key]
        value = None if row[key] is None else Decimal(row[key])
        tone = {True: "", False: "bad", None: ""}[told.is_met(value)]
        cells.append((write(value, told.unit), tone))
    return {**row, "cells": cells}


def ages_chart(found: dict[str, Any]) -> Drawn:
    amounts = [float(each["amount"]) for each in found["ageing"]]
    colors = ["#16a34a", "#65a30d", "#d97706", "#ea580c", "#dc2626"]
    data = {
        "labels": [f"{each['bucket']} days" for each in found["ageing"]],
        "datasets": [{"label": "Open", "data": amounts, "backgroundColor": colors, "maxBarThickness": 56}],
    }
    note = "charges that nobody has paid, adjusted or left to the patient, by days since submission"
    return Drawn("A/R by age", note, "bar", json.dumps(data), options("$"), not any(amounts))


def denials_chart(found: dict[str, Any]) -> Drawn:
    rows = [row for row in found["payers"] if row["remittance_denial_rate"] is not None][:MOST_BARS]
    rates = [float(row["remittance_denial_rate"]) for row in rows]
    bars = {"label": "Remittance denial rate", "data": rates, "backgroundColor": "#dc2626", "maxBarThickness": 22}
    data = {"labels": [row["name"][:28] for row in rows], "datasets": [bars]}
    note = "remittances that deny the claim, of those that adjudicate one, in percent"
    return Drawn("Denials by payer", note, "bar", json.dumps(data), options("%", axis="y"), not any(rates))


def trends_chart(found: dict[str, Any]) -> Drawn:
    by_key = {figure["key"]: figure for figure in found["figures"]}
    lines = [line_of(by_key[key], color) for key, color in TRENDS]
    data = {"labels": found["months"], "datasets": lines}
    is_empty = not any(value is not None for line in lines for value in line["data"])
    return Drawn("By month", "in percent", "line", json.dumps(data), options("%", legend=True), is_empty)


def line_of(figure: dict[str, Any], color: str) -> dict[str, Any]:
    values = [None if value is None else float(value) for value in figure["trend"]]
    look = {"borderColor": color, "backgroundColor": color, "borderWidth": 2, "pointRadius": 2, "spanGaps": False}
    return {"label": figure["title"], "data": values, **look}


def options(unit: str, *, axis: str = "x", legend: bool = False) -> str:
    """Write a chart's options; the other axis than `axis` carries the numbers, in `unit`."""
    label = {"color": SOFT, "boxWidth": 6, "boxHeight": 6, "usePointStyle": True}
    number = {
        "beginAtZero": True,
        "ticks": {"color": SOFT, "maxTicksLimit": 6},
        "title": {"display": True, "text": unit, "color": SOFT},
    }
    names = {"ticks": {"color": SOFT, "autoSkip": axis == "x"}, "grid": {"display": False}}
    return json.dumps(
        {
            "animation": False,
            "responsive": True,
            "maintainAspectRatio": False,
            "indexAxis": axis,
            "plugins": {"legend": {"display": legend, "align": "end", "labels": label}},
            "scales": {"x": names, "y": number} if axis == "x" else {"x": number, "y": names},
        }
    )


def send_csv(found: dict[str, Any]) -> HttpResponse:
    """Answer the table by payer, and the figures of all payers in its last row."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="key-figures-{found["first"]}-{found["last"]}.csv"'
    writer = csv.writer(answer)
    writer.writerow(["payer", "claim_count", "charge_amount", "open_amount", *PAYER_KEYS])
    for row in found["payers"]:
        cells = [row["claim_count"], row["charge_amount"], row["open_amount"], *(row[key] for key in PAYER_KEYS)]
        writer.writerow([plain_cell(row["name"]), *("" if cell is None else cell for cell in cells)])
    whole = {figure["key"]: figure["value"] for figure in found["figures"]}
    total = sum((Decimal(each["amount"]) for each in found["ageing"]), Decimal(0))
    sums = [found["submitted"]["claim_count"], found["submitted"]["charge_amount"], total]
    writer.writerow(["All payers", *sums, *("" if whole[key] is None else whole[key] for key in PAYER_KEYS)])
    return answer
