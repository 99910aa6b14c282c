"""Load like people's: a biller working through lists and claims, an integration fetching pages, a health probe.

    MARB_USER=... MARB_PASSWORD=... locust --host http://localhost:8000 --headless -u 20 -r 5 -t 1m

The host may come by MARB_HOST; MARB_TOKEN takes the place of name and password. Reads only: one token per process is
all that is written, and it is given back at the end. Names in the statistics carry no ids.
"""

import os
import random
import threading
from typing import Any

import requests
from locust import FastHttpUser, between, constant_pacing, events, task
from locust.exception import StopUser

API = "/api/v1"
HOST = os.environ.get("MARB_HOST", "http://localhost:8000")
LOGIN = threading.Lock()
KINDS = ("claims", "remits", "payments", "episodes", "payers", "providers")


class Person(FastHttpUser):
    """Somebody with a token. Remembers the ids that lists showed, to open some of them."""

    abstract = True
    host = HOST
    token = os.environ.get("MARB_TOKEN", "")

    def on_start(self) -> None:
        self.seen: dict[str, list[int]] = {kind: [] for kind in KINDS}
        self.control_numbers: list[str] = []
        with LOGIN:
            Person.token = Person.token or self.log_in()
        self.header = {"Authorization": f"Token {Person.token}"}

    def log_in(self) -> str:
        name, password = os.environ.get("MARB_USER", ""), os.environ.get("MARB_PASSWORD", "")
        with self.client.post(f"{API}/auth/login/", auth=(name, password), catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"login answered {answer.status_code}; set MARB_USER and MARB_PASSWORD, or MARB_TOKEN")
                raise StopUser
            return str(answer.json()["token"])

    def read(self, path: str, name: str) -> Any:
        with self.client.get(API + path, headers=self.header, name=name, catch_response=True) as answer:
            return answer.json() if answer.status_code == 200 else None

    def list_rows(self, kind: str, query: str = "") -> Any:
        body = self.read(f"/{kind}/?limit=50{query}", f"{API}/{kind}/ list")
        if body:
            self.seen[kind] = [row["id"] for row in body["results"]] or self.seen[kind]
        return body

    def open_one(self, kind: str, query: str = "") -> None:
        if not self.seen[kind]:
            self.list_rows(kind)
        if self.seen[kind]:
            self.read(f"/{kind}/{random.choice(self.seen[kind])}/{query}", f"{API}/{kind}/:id/")


class Biller(Person):
    """Reads lists, searches by control number, opens claims, remittances and episodes."""

    weight = 8
    wait_time = between(1, 5)

    @task(4)
    def work_on_claims(self) -> None:
        body = self.list_rows("claims", "&expand=episode")
        self.control_numbers = [row["patient_control_number"] for row in (body or {"results": []})["results"]]

    @task(3)
    def work_on_claims_that_are_not_clean(self) -> None:
        self.list_rows("claims", "&status=incomplete")

    @task(8)
    def open_a_claim(self) -> None:
        self.open_one("claims", "?expand=episode")

    @task(4)
    def search(self) -> None:
        if self.control_numbers:
            number = random.choice(self.control_numbers)
            self.client.get(
                f"{API}/claims/",
                params={"control_number": number},
                headers=self.header,
                name=f"{API}/claims/ search",
            )

    @task(3)
    def open_a_remittance(self) -> None:
        self.open_one("remits")

    @task(3)
    def open_an_episode(self) -> None:
        self.open_one("episodes")

    @task(1)
    def look_at_payments(self) -> None:
        self.list_rows("payments", "&is_balanced=false")

    @task(1)
    def look_at_payers(self) -> None:
        self.list_rows("payers")


class Integration(Person):
    """Fetches list after list to the end, as another system does at night."""

    weight = 1
    wait_time = constant_pacing(2)

    @task
    def walk_a_list(self) -> None:
        kind = random.choice(("claims", "remits", "episodes"))
        following = f"{API}/{kind}/?limit=1000"
        for _ in range(10):
            path = following[following.index(API) + len(API) :]
            body = self.read(path, f"{API}/{kind}/ walk")
            following = (body or {}).get("next") or ""
            if not following:
                return


class Probe(FastHttpUser):
    """A load balancer that asks every five seconds."""

    fixed_count = 1
    host = HOST
    wait_time = constant_pacing(5)

    @task
    def ask_for_health(self) -> None:
        self.client.get(f"{API}/health/")


@events.test_stop.add_listener
def log_out(environment: Any, **_: Any) -> None:
    """Give the token back, unless it was lent to us."""
    if Person.token and not os.environ.get("MARB_TOKEN"):
        host = environment.host or HOST
        requests.post(f"{host}{API}/auth/logout/", headers={"Authorization": f"Token {Person.token}"}, timeout=10)
        Person.token = ""


@events.quitting.add_listener
def fail_on_errors(environment: Any, **_: Any) -> None:
    """Exit 1 when one request in a hundred failed."""
    if environment.stats.total.fail_ratio > 0.01:
        environment.process_exit_code = 1
