"""Login by name and password for a token, logout of one token or of all, and who the caller is."""

from typing import Any

from drf_spectacular.utils import extend_schema
from knox.views import LoginView, LogoutAllView, LogoutView
from rest_framework import exceptions, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marb.access.models import Practice
from marb.access.roles import MATRIX, Action, get_roles, is_superuser
from marb.access.tokens import PasswordAuthentication


class TooManyTokens(exceptions.APIException):
    status_code = 403
    default_detail = "Too many tokens are in use. End one, or all by auth/logoutall/."
    default_code = "too_many_tokens"


class TokenSerializer(serializers.Serializer[Any]):
    """A token, shown once, and the time it ends."""

    token = serializers.CharField()
    expiry = serializers.DateTimeField()


class PlaceSerializer(serializers.Serializer[Any]):
    """A practice that the caller reaches, and what may be done there."""

    code = serializers.CharField()
    name = serializers.CharField()
    role = serializers.CharField()
    actions = serializers.ListField(child=serializers.ChoiceField(Action.choices))


class PersonSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    practices = PlaceSerializer(many=True)


class Login(LoginView):
    """Answers a token for a name and password sent by HTTP Basic. The only door that is open to strangers."""

    authentication_classes = (PasswordAuthentication,)
    permission_classes = (IsAuthenticated,)

    @extend_schema(request=None, responses=TokenSerializer, operation_id="auth_login")
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().post(request)
        if response.status_code == 403:
            raise TooManyTokens
        response.headers["Cache-Control"] = "no-store"
        return response


class Logout(LogoutView):
    """Ends the token that is sent."""

    @extend_schema(request=None, responses={204: None}, operation_id="auth_logout")
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request)


class LogoutAll(LogoutAllView):
    """Ends every token of the person."""

    @extend_schema(request=None, responses={204: None}, operation_id="auth_logoutall")
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().post(request)


class Me(APIView):
    """The caller, the practices in reach, and what the caller may do in each."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(responses=PersonSerializer, operation_id="auth_me")
    def get(self, request: Request) -> Response:
        roles = get_roles(request.user)
        places = [
            {"code": code, "name": name, **rights(roles.get(pk), everything=is_superuser(request.user))}
            for pk, code, name in Practice.objects.for_user(request.user).values_list("id", "code", "name")
        ]
        return Response({"username": request.user.get_username(), "practices": places})


def rights(role: Any, *, everything: bool) -> dict[str, Any]:
    actions = set(Action) if everything else MATRIX[role]
    return {"role": role or "superuser", "actions": sorted(actions)}
