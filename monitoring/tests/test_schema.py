"""The API's description is whole, and its pages work offline for those who are logged in."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from django.urls import resolve
from rest_framework.serializers import ListSerializer

from monitoring.tests.addresses import find_addresses

DOCS = ("schema", "swagger", "redoc", "redoc-script")


@pytest.fixture
def member(client: Client, biller) -> Client:
    client.force_login(biller)
    return client


def test_the_schema_is_valid_and_nothing_had_to_be_guessed(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, format="openapi-json")
    assert json.loads(capsys.readouterr().out)["openapi"].startswith("3.")


def test_every_address_is_described(member: Client) -> None:
    answer = member.get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    described = {re.sub(r"{\w+}", "7", path) for path in json.loads(answer.content)["paths"]}
    for address in find_addresses():
        if address.name not in DOCS:
            assert address.path(**dict.fromkeys(address.arguments, 7)) in described, address.name


@pytest.mark.parametrize("page", ["swagger", "redoc"])
def test_the_pages_need_nothing_from_elsewhere_and_no_inline_script(page: str, member: Client) -> None:
    html = member.get(f"/api/v1/schema/{page}/").content.decode()
    assert not re.findall(r"https?://", html)
    assert not re.findall(r"<script(?![^>]*\bsrc=)", html)
    for path in re.findall(r'(?:src|href)="/static/([^"]+)"', html):
        assert finders.find(path), path


def test_redoc_fetches_nothing_from_its_makers(member: Client) -> None:
    answer = member.get("/api/v1/schema/redoc/script/")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    script = b"".join(answer) if answer.streaming else answer.content
    assert b"cdn.redoc.ly" not in script
    assert b"/static/marb/icon.svg" in script


def test_the_script_of_the_pages_is_answered_as_script(member: Client) -> None:
    answer = member.get("/api/v1/schema/swagger/?script=")
    assert answer.headers["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle" in answer.content


def serializers_of(view: Any) -> Iterator[Any]:
    """Find what a view's rows are shaped by, and what stands in them."""
    for name in ("serializer_class", "detail_class"):
        shape = getattr(view, name, None)
        if shape is not None and hasattr(shape, "Meta"):
            yield shape
            yield from (type(field.child) for field in shape().fields.values() if isinstance(field, ListSerializer))


def may_be_null(model: Any, source: str) -> bool:
    """Say whether a value behind a path of columns can be missing: any step of the path may."""
    found = False
    for name in source.split("."):
        field = model._meta.get_field(name)
        found, model = found or field.null, field.related_model
    return found


def test_what_may_be_null_is_described_so() -> None:
    views = {
        getattr(resolve(address.path(**dict.fromkeys(address.arguments, 7))).func, "cls", None)
        for address in find_addresses()
    }
    shapes = {shape for view in views for shape in serializers_of(view)}
    assert len(shapes) > 12
    for shape in shapes:
        for name, field in shape().fields.items():
            source = field.source if field.source and field.source != "*" else name
            if not isinstance(field, ListSerializer) and has_column(shape.Meta.model, source):
                is_null = may_be_null(shape.Meta.model, source)
                assert field.allow_null or not is_null, f"{shape.__name__}.{name} can be null"


def has_column(model: Any, source: str) -> bool:
    return source.partition(".")[0] in {each.name for each in model._meta.get_fields()}
