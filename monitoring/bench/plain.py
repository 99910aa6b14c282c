"""What the product's answers are measured against: a constant view, and Django REST framework used plainly.

The plain view set is what its tutorial makes of a claim with its lines: model instances, ModelSerializer, all fields,
the framework's own renderer; with the product's authentication, permission, throttle and scope. It masks nothing.
"""

import time
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.viewsets import ModelViewSet

from claims.models import Claim, ServiceLine


def constant(request: HttpRequest) -> HttpResponse:
    """The least that a view behind the product's middleware can be."""
    return HttpResponse(b'{"status": "ok"}', content_type="application/json")


def wait(request: HttpRequest, milliseconds: int) -> HttpResponse:
    """An answer that takes a known time."""
    time.sleep(milliseconds / 1000)
    return constant(request)


class PlainLineSerializer(serializers.ModelSerializer[ServiceLine]):
    class Meta:
        model = ServiceLine
        fields = "__all__"


class PlainClaimSerializer(serializers.ModelSerializer[Claim]):
    lines = PlainLineSerializer(many=True)

    class Meta:
        model = Claim
        fields = "__all__"


class PlainClaimViewSet(ModelViewSet[Claim]):
    queryset = Claim.objects.prefetch_related("lines")
    serializer_class = PlainClaimSerializer
    renderer_classes = (JSONRenderer,)

    def get_queryset(self) -> QuerySet[Claim]:
        rows: Any = super().get_queryset()
        return rows.for_user(self.request.user)
