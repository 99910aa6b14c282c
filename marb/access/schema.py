"""How the API's description names the ways in: a token, the admin's session, for the login a name and password."""

from typing import Any

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "marb.access.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Token followed by the token"}


class PasswordScheme(OpenApiAuthenticationExtension):
    target_class = "marb.access.tokens.PasswordAuthentication"
    name = "password"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "basic"}


class AdminSessionScheme(SessionScheme):
    target_class = "marb.access.tokens.SessionAuthentication"
