"""Files, leased chunks and their loading for the tests of remits."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from marb.access.models import Practice
from marb.edi.x12 import Excerpt
from marb.pipeline.jobs import ChunkJob, FileJob
from marb.pipeline.models import Chunk, ChunkState, EdiFile, SetStatus, TransactionSet
from remits.edi835 import Payment, parse_payments
from remits.load import load_chunk
from remits.settle import settle_file
from remits.tests.x12 import cut, whole


@pytest.fixture
def practice(db: None) -> Practice:
    return Practice.objects.create(code="elm", name="Elm Clinic")


@pytest.fixture
def received(practice: Practice) -> Callable[[bytes], EdiFile]:
    def make(data: bytes) -> EdiFile:
        name = f"file-{EdiFile.objects.count()}"
        return EdiFile.objects.create(practice=practice, sha256=name, name=name, byte_count=len(data), kind="835")

    return make


def lease(file: EdiFile, excerpt: Excerpt) -> ChunkJob:
    """Make a leased chunk of a file and the job to load it."""
    chunk = Chunk.objects.create(
        practice_id=file.practice_id,
        file=file,
        seq=Chunk.objects.filter(file=file).count(),
        kind="835",
        byte_from=excerpt.body.offset,
        byte_to=excerpt.body.offset + len(excerpt.body.data),
        separators="".join(excerpt.separators)[:4],
        state=ChunkState.LEASED,
        lease_no=1,
        lease_until=timezone.now(),
    )
    return ChunkJob(file.practice_id, file.pk, chunk.pk, 1, "835", excerpt, timezone.now().date())


def note_sets(file: EdiFile, data: bytes) -> None:
    """Keep the sets of a file as the scan finds them."""
    payments = [each for each in parse_payments(whole(data)) if isinstance(each, Payment)]
    ends = [*(each.byte_offset for each in payments[1:]), len(data)]
    for payment, end in zip(payments, ends, strict=True):
        TransactionSet.objects.create(
            practice_id=file.practice_id,
            file=file,
            byte_from=payment.byte_offset,
            byte_to=end,
            set_code="835",
            interchange_control="000000001",
            group_control="1",
            set_control=payment.set_control,
            remittance_count=data[payment.byte_offset : end].count(b"~CLP*"),
            status=SetStatus.ACCEPTED,
        )


@pytest.fixture
def load(received: Callable[[bytes], EdiFile]) -> Callable[..., EdiFile]:
    """Load a file, cut into chunks of `size` claim payments, and settle it."""

    def run(data: bytes, size: int = 1000, *, settle: bool = True) -> EdiFile:
        file = received(data)
        note_sets(file, data)
        for excerpt in cut(data, size):
            load_chunk(lease(file, excerpt))
        if settle:
            settle_file(FileJob(file.practice_id, file.pk, timezone.now().date()))
        return file

    return run
