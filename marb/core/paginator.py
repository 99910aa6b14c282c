"""Pages whose cost does not grow with the table: the API's key pagination and the admin's estimated count."""

from rest_framework.pagination import CursorPagination


class KeyPagination(CursorPagination):
    """Pages by key, newest first: constant cost at any depth. `limit` up to 1000, 100 by default."""

    ordering = "-id"
    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
