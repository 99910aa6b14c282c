"""Tokens: who holds one is that person until it expires, is given back, or the person is switched off.

knox keeps only the hash. Handing one out takes a name and password by HTTP Basic, counted like every login. Both ways
in are DRF's classes over marb.access.reader. A new password ends every token.
"""

import copy
from typing import Any

from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import AbstractBaseUser, User
from django.db.models.signals import post_save
from knox.models import AuthToken
from rest_framework import authentication
from rest_framework.authentication import BaseAuthentication, BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from marb.access.reader import SCHEME
from marb.access.reader import authenticate as find_reader


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token ...`: a bad token is a 401, even beside a good session."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, AuthToken] | None:
        scheme = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")[0]
        if scheme.lower() != SCHEME:
            return None
        reader = find_reader(request._request)
        if reader is None or reader.token is None:
            raise AuthenticationFailed("Invalid token.")
        return reader.person(), copy.copy(reader.token)

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class SessionAuthentication(authentication.SessionAuthentication):
    """The admin's session; writing takes its CSRF token."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, None] | None:
        reader = find_reader(request._request)
        if reader is None or reader.token is not None:
            return None
        self.enforce_csrf(request)
        return reader.person(), None


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


def end_tokens(sender: Any, instance: User, **_: Any) -> None:
    """End a person's tokens as their password is changed; Django ends the sessions."""
    # set_password leaves the new one here until it is saved
    if instance._password is not None:  # type: ignore[attr-defined]
        AuthToken.objects.filter(user_id=instance.pk).delete()


def watch() -> None:
    post_save.connect(end_tokens, sender=User, dispatch_uid="tokens-password")
