"""The API's default permission: a member of a practice reads; a view names the one action that its writing needs,
and where reading is not every member's, the one that reading needs.

Which rows are reached is not said here but by the scope (`for_user`): another practice's row is a 404, never a 403.
"""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from marb.access.roles import is_member, may, may_anywhere


class MemberPermission(BasePermission):
    """`view.write_action` is the Action that POST, PATCH, PUT and DELETE need; without it nothing can be written.
    `view.read_action` is one that everything of the view needs."""

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = getattr(view, "read_action", None)
        if not is_member(request.user) or (needed is not None and not may_anywhere(request.user, needed)):
            return False
        # what the view does not know at all is its 405 to answer
        if request.method in SAFE_METHODS or request.method not in view.allowed_methods:
            return True
        action = getattr(view, "write_action", None)
        return action is not None and may_anywhere(request.user, action)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        return may(request.user, obj.practice_id, view.write_action)
