"""`manage.py prepare`: migrates, collects static files, makes the first practice and administrator. Quick when done."""

from typing import Any

from django.core.management.base import BaseCommand

from marb.core import preparation


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        with preparation.alone():
            if applied := preparation.migrate():
                self.stdout.write(f"{applied} migrations applied.")
            if preparation.collect_static():
                self.stdout.write("Static files collected.")
            login = preparation.make_first_login()
        if login:
            self.stdout.write(
                f"\n  An administrator was made. The password is shown this once only.\n"
                f"    user:     {login.username}\n    password: {login.password}\n"
            )
