"""What `.ci/fuzz` looks at: a practice with the samples taken in, and its administrator; prints a token of hers."""

from datetime import timedelta
from pathlib import Path

from django.contrib.auth import get_user_model
from knox.models import AuthToken

from marb.access.models import Membership, Practice, Role
from marb.pipeline.receive import receive
from marb.pipeline.run import step

practice, _ = Practice.objects.get_or_create(code="main", defaults={"name": "Main Street Medical Group"})
person, _ = get_user_model().objects.get_or_create(username="fuzz")
Membership.objects.get_or_create(user=person, practice=practice, defaults={"role": Role.ADMINISTRATOR})
for sample in sorted(Path("samples").glob("*.x12")):
    with sample.open("rb") as stream:
        file_id = receive(practice_id=practice.pk, name=sample.name, stream=stream, user_id=person.pk).file_id
    while step([file_id]):
        pass
Path(".ci/token").write_text(AuthToken.objects.create(person, expiry=timedelta(hours=10))[1])
