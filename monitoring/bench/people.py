"""Who asks in the bench: managers of the bench's practice, by token, and one with a session for the pages."""

import re
import secrets

from django.contrib.auth import get_user_model
from knox.models import get_token_model

from marb.access.models import Membership, Role
from monitoring.traffic.connection import Address, Answer
from monitoring.traffic.person import Headers, NotAnswered, ask, authorize, write_form

# many, because a limit is counted per person, and nobody asks a hundred things a second
COUNT = 50
COOKIE = re.compile(rb"\r\nset-cookie: *([^=;]+)=([^;\r]*)", re.IGNORECASE)
CSRF = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')


def create_people(practice_id: int) -> list[Headers]:
    """Create so many people with a token each; answers their headers."""
    found = []
    for number in range(COUNT):
        user = get_user_model().objects.create_user(f"bench{number}")
        Membership.objects.create(user=user, practice_id=practice_id, role=Role.MANAGER)
        _, token = get_token_model().objects.create(user)
        found.append(authorize(token))
    return found


def create_session(address: Address, practice_id: int) -> Headers:
    """Log a new person in through the admin's own page; answers the cookies as headers. Raises NotAnswered."""
    password = secrets.token_urlsafe(24)
    user = get_user_model().objects.create_user("bench-pages", password=password, is_staff=True)
    Membership.objects.create(user=user, practice_id=practice_id, role=Role.MANAGER)
    page = ask(address, "/login/", {})
    token = CSRF.search(page.body)
    if token is None:
        raise NotAnswered(f"The login page answered {page.status} and no form.")
    form = {"csrfmiddlewaretoken": token[1].decode(), "username": "bench-pages", "password": password}
    answer = write_form(address, "/login/", cookies_of(page), form)
    if answer.status != 302:
        raise NotAnswered(f"The login page answered {answer.status}.")
    return cookies_of(answer)


def cookies_of(answer: Answer) -> Headers:
    pairs = [f"{name.decode()}={value.decode()}" for name, value in COOKIE.findall(answer.head)]
    return {"Cookie": "; ".join(pairs)}
