"""Load like people's: billers at their lists, managers at theirs, another system in bulk, and a health probe.

    MARB_USER=... MARB_PASSWORD=... locust --host http://localhost:8000 --headless -u 20 -r 5 -t 1m

Who asks what, how often and after how long a thought is data: monitoring.traffic.mix. The host may come by MARB_HOST;
MARB_TOKEN takes the place of name and password. Ids come from lists; names in the statistics carry none. It reads only,
unless MARB_UPLOAD names a file, which integrators then send (the same bytes again are answered as known). A token that
was asked for is given back at the end.
"""

import os
import random
import threading
from pathlib import Path
from typing import Any

import requests
from locust import FastHttpUser, between, constant_pacing, events, task
from locust.exception import StopUser

from monitoring.traffic import mix

HOST = os.environ.get("MARB_HOST", "http://localhost:8000")
UPLOAD = os.environ.get("MARB_UPLOAD", "")
LENT = os.environ.get("MARB_TOKEN", "")
LOGIN = threading.Lock()
SHOWN = 200


class Person(FastHttpUser):
    """Somebody with a token, who asks what her sort of user asks."""

    abstract = True
    host = HOST
    user: mix.User
    token = LENT
    body = Path(UPLOAD).read_bytes() if UPLOAD else b""

    def on_start(self) -> None:
        with LOGIN:
            Person.token = Person.token or self.log_in()
        self.header = {"Authorization": f"Token {Person.token}"}
        self.known = mix.Known()
        for kind in mix.KINDS:
            self.look(kind)
        self.asks = [ask for ask in self.user.asks if self.known.has(ask.needs) and (UPLOAD or ask.method == "GET")]

    def log_in(self) -> str:
        name, password = os.environ.get("MARB_USER", ""), os.environ.get("MARB_PASSWORD", "")
        with self.client.post(f"{mix.API}/auth/login/", auth=(name, password), catch_response=True) as answer:
            if answer.status_code != 200:
                answer.failure(f"login answered {answer.status_code}; set MARB_USER and MARB_PASSWORD, or MARB_TOKEN")
                raise StopUser
            return str(answer.json()["token"])

    def look(self, kind: str) -> None:
        """Read a list for its ids."""
        path = f"{mix.API}/{kind}/?limit={SHOWN}"
        with self.client.get(path, headers=self.header, name=mix.name_route(path), catch_response=True) as answer:
            if answer.status_code == 200:
                self.known.note(kind, answer.json()["results"])

    @task
    def work(self) -> None:
        """Ask one thing, as often as its weight among hers."""
        ask = random.choices(self.asks, [each.weight for each in self.asks])[0]
        path = mix.API + self.known.fill(ask.path, random.Random())
        given = {"headers": self.header, "name": ask.name}
        if ask.method == "POST":
            given |= {"data": self.body, "headers": {**self.header, "Content-Type": "application/edi-x12"}}
        self.client.request(ask.method, path, **given)


class Biller(Person):
    user = mix.BILLER
    weight = mix.BILLER.weight
    wait_time = between(*mix.BILLER.think)


class Manager(Person):
    user = mix.MANAGER
    weight = mix.MANAGER.weight
    wait_time = between(*mix.MANAGER.think)


class Integrator(Person):
    user = mix.INTEGRATOR
    weight = mix.INTEGRATOR.weight
    wait_time = between(*mix.INTEGRATOR.think)


class Probe(FastHttpUser):
    """A load balancer that asks every five seconds."""

    fixed_count = 1
    host = HOST
    wait_time = constant_pacing(5)

    @task
    def ask_for_health(self) -> None:
        self.client.get(f"{mix.API}/health/")


@events.test_stop.add_listener
def log_out(environment: Any, **_: Any) -> None:
    """Give the token back, unless it was lent to us."""
    if Person.token and not LENT:
        host = environment.host or HOST
        requests.post(f"{host}{mix.API}/auth/logout/", headers={"Authorization": f"Token {Person.token}"}, timeout=10)
        Person.token = ""


@events.quitting.add_listener
def fail_on_errors(environment: Any, **_: Any) -> None:
    """Exit 1 when one request in a hundred failed."""
    if environment.stats.total.fail_ratio > 0.01:
        environment.process_exit_code = 1
