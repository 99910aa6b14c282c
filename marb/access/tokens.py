"""Tokens: who holds one is that person until it expires, is given back, or the person is switched off.

knox keeps only the hash. Handing one out takes a name and password by HTTP Basic, counted by axes like every login.
"""

from typing import Any

from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import AbstractBaseUser
from knox.auth import TokenAuthentication as KnoxAuthentication
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request


class TokenAuthentication(KnoxAuthentication):
    """`Authorization: Token ...`; bytes that no token has are a 401 before anything is looked up."""

    def authenticate_credentials(self, token: bytes) -> tuple[AbstractBaseUser, Any]:
        if not token.isalnum() or not token.isascii():
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)


class PasswordAuthentication(BasicAuthentication):
    """`Authorization: Basic ...`; unknown name, wrong password and locked account answer alike."""

    www_authenticate_realm = "mARB"

    def authenticate_credentials(
        self, userid: str, password: str, request: Request | None = None
    ) -> tuple[AbstractBaseUser, None]:
        if request is None or "\x00" in userid or "\x00" in password:
            raise AuthenticationFailed("Wrong name or password, or too many tries.")
        name = get_user_model().USERNAME_FIELD
        user = authenticate(getattr(request, "_request", request), **{name: userid, "password": password})
        if user is None or not user.is_active:
            raise AuthenticationFailed("Wrong name or password, or too many tries.")
        return user, None
