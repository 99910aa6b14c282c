"""The product's addresses, and those that only a server of the bench has: below /bench/."""

from django.urls import URLPattern, URLResolver, path

from marb.urls import handler400, handler403, handler404, handler500
from marb.urls import urlpatterns as product
from monitoring.bench.counting import tell
from monitoring.bench.plain import PlainClaimViewSet, constant, wait

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

# before the product's: the admin takes every address that is left
urlpatterns: list[URLPattern | URLResolver] = [
    path("bench/constant/", constant, name="bench-constant"),
    path("bench/wait/<int:milliseconds>/", wait, name="bench-wait"),
    path("bench/plain/<int:pk>/", PlainClaimViewSet.as_view({"get": "retrieve"})),
    path("bench/counts/", tell),
    *product,
]
