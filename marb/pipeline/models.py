"""The belt's own rows: a file and its bytes, its transaction sets, its chunks, and what was found wrong.

Truth is here. A message in the broker only rings the bell for a chunk's or a file's id; who works on it is said by
the lease, whose clock is PostgreSQL's. Claims and remittances point down to these rows by file and byte offset.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from marb.access.models import Loaded, Scoped


class FileStatus(models.TextChoices):
    RECEIVED = "received", "Received"
    RUNNING = "running", "Running"
    ACCEPTED = "accepted", "Accepted"
    PARTIAL = "partial", "Partly accepted"
    REJECTED = "rejected", "Rejected"
    KEPT = "kept", "Kept, not a claim or remittance file"
    REFUSED = "refused", "Refused, not X12"


class Hold(models.TextChoices):
    """What somebody said of a file that is not finished; a retry takes it back."""

    NONE = "", "None"
    PAUSED = "paused", "Paused"
    CANCELLED = "cancelled", "Cancelled"


FINISHED = (FileStatus.ACCEPTED, FileStatus.PARTIAL, FileStatus.REJECTED, FileStatus.KEPT, FileStatus.REFUSED)


class EdiFile(Scoped):
    """One received file. The same bytes are received once per practice.

    The `scan_` counts are an oracle: they come from the raw bytes and know nothing of the readers. For a finished
    file: scan_claim_count = claim_count + claims_quarantined + claims_rejected, and so for remittances.
    """

    cached_as = ("file",)
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    byte_count = models.BigIntegerField()
    kind = models.CharField(max_length=20, blank=True)
    status = models.CharField(max_length=12, choices=FileStatus.choices, default=FileStatus.RECEIVED)
    # a paused file gives no lease; a cancelled one has its waiting chunks parked
    hold = models.CharField(max_length=10, choices=Hold.choices, default=Hold.NONE, blank=True, db_default="")
    reason = models.TextField(blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    received_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    scan_claim_count = models.PositiveIntegerField(default=0)
    scan_remittance_count = models.PositiveIntegerField(default=0)
    scan_charge_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    scan_paid_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)

    claim_count = models.PositiveIntegerField(default=0)
    claims_quarantined = models.PositiveIntegerField(default=0)
    claims_rejected = models.PositiveIntegerField(default=0)
    remittance_count = models.PositiveIntegerField(default=0)
    remittances_quarantined = models.PositiveIntegerField(default=0)
    remittances_rejected = models.PositiveIntegerField(default=0)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    paid_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    finding_count = models.PositiveIntegerField(default=0)
    chunk_count = models.PositiveIntegerField(default=0)
    chunks_done = models.PositiveIntegerField(default=0)

    # file stages (linking, settling) are leased like chunks
    lease_no = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = "file"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["practice", "sha256"], name="edifile_same_bytes_once"),
            models.CheckConstraint(condition=Q(byte_count__gte=0), name="edifile_byte_count_not_negative"),
            models.CheckConstraint(condition=Q(status__in=FileStatus.values), name="edifile_status_known"),
            models.CheckConstraint(condition=Q(hold__in=Hold.values), name="edifile_hold_known"),
            models.CheckConstraint(condition=Q(chunks_done__lte=F("chunk_count")), name="edifile_chunks_done_within"),
        ]
        indexes = [
            # the file list, newest first, and by status
            models.Index(fields=["practice", "-received_at"], name="edifile_newest"),
            models.Index(fields=["practice", "status", "-received_at"], name="edifile_by_status"),
            # the reaper: files not finished
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=[FileStatus.RECEIVED, FileStatus.RUNNING]),
                name="edifile_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"File {self.pk}"


class FileBlock(models.Model):
    """A stretch of a file's bytes, zstd-compressed. Blocks follow one another without a gap from offset 0."""

    file = models.ForeignKey(EdiFile, models.CASCADE, related_name="blocks", db_index=False)
    byte_from = models.BigIntegerField()
    byte_count = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "byte_from"], name="fileblock_once")]

    def __str__(self) -> str:
        return f"Block {self.byte_from} of file {self.file_id}"


class SetStatus(models.TextChoices):
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    KEPT = "kept", "Kept"


class TransactionSet(Scoped):
    """One ST to SE as the envelope scan found it."""

    file = models.ForeignKey(EdiFile, models.CASCADE, related_name="sets", db_index=False)
    byte_from = models.BigIntegerField()
    byte_to = models.BigIntegerField()
    set_code = models.CharField(max_length=6)
    guide = models.CharField(max_length=35, blank=True)
    sender_code = models.CharField(max_length=80, blank=True)
    receiver_code = models.CharField(max_length=80, blank=True)
    interchange_control = models.CharField(max_length=20, blank=True)
    group_control = models.CharField(max_length=20, blank=True)
    set_control = models.CharField(max_length=20, blank=True)
    segment_count = models.PositiveIntegerField(default=0)
    claim_count = models.PositiveIntegerField(default=0)
    remittance_count = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=SetStatus.choices)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["file_id", "byte_from"]
        constraints = [
            models.UniqueConstraint(fields=["file", "byte_from"], name="transactionset_once"),
            models.CheckConstraint(condition=Q(status__in=SetStatus.values), name="transactionset_status_known"),
            models.CheckConstraint(condition=Q(byte_to__gte=F("byte_from")), name="transactionset_has_extent"),
        ]
        indexes = [
            # the sets that a received acknowledgement names (claims.answers): by interchange, and by group and set
            models.Index(
                fields=["practice", "interchange_control"], condition=Q(set_code="837"), name="transactionset_by_isa"
            ),
            models.Index(
                fields=["practice", "group_control", "set_control"],
                condition=Q(set_code="837"),
                name="transactionset_by_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.set_code} {self.set_control}"


class Verdict(models.TextChoices):
    """What an acknowledgement says of a file as a whole, in the letters of IK501 and AK901."""

    ACCEPTED = "A", "Accepted"
    WITH_ERRORS = "E", "Accepted, errors noted"
    PARTLY = "P", "Partly accepted"
    REJECTED = "R", "Rejected"


class Acknowledgement(Scoped):
    """The TA1 and 999 that answer a received file (marb.pipeline.acknowledge), as the bytes to be sent."""

    file = models.OneToOneField(EdiFile, models.CASCADE, related_name="acknowledgement")
    verdict = models.CharField(max_length=1, choices=Verdict.choices)
    content = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="acknowledgement_verdict_known"),
        ]

    def __str__(self) -> str:
        return f"Acknowledgement of file {self.file_id}"


class ChunkState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    LEASED = "leased", "Running"
    DONE = "done", "Done"
    PARKED = "parked", "Parked after too many failures"


class Chunk(Scoped):
    """Some hundreds to thousands of claims of one file: one job, one transaction.

    `context` is a list of [byte_from, byte_to, position] that stand before the body (marb.edi.x12.Excerpt).
    A lease is valid while `lease_no` is the holder's; the writing transaction begins by proving it.
    """

    file = models.ForeignKey(EdiFile, models.CASCADE, related_name="chunks", db_index=False)
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    guide = models.CharField(max_length=35, blank=True)
    byte_from = models.BigIntegerField()
    byte_to = models.BigIntegerField()
    position = models.PositiveIntegerField(default=0)
    context = models.JSONField(default=list)
    separators = models.CharField(max_length=4)
    scan_claim_count = models.PositiveIntegerField(default=0)

    state = models.CharField(max_length=10, choices=ChunkState.choices, default=ChunkState.WAITING)
    lease_no = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    claim_count = models.PositiveIntegerField(default=0)
    claims_quarantined = models.PositiveIntegerField(default=0)
    remittance_count = models.PositiveIntegerField(default=0)
    remittances_quarantined = models.PositiveIntegerField(default=0)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    paid_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    finding_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["file_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["file", "seq"], name="chunk_once"),
            models.CheckConstraint(condition=Q(state__in=ChunkState.values), name="chunk_state_known"),
            models.CheckConstraint(condition=Q(byte_to__gt=F("byte_from")), name="chunk_has_extent"),
            models.CheckConstraint(
                condition=~Q(state=ChunkState.LEASED) | Q(lease_until__isnull=False), name="chunk_lease_has_end"
            ),
        ]
        indexes = [
            # the reaper: chunks not done whose lease has run out
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=[ChunkState.WAITING, ChunkState.LEASED]),
                name="chunk_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return f"Chunk {self.seq} of file {self.file_id}"


class Finding(Loaded):
    """One marb.edi.findings.Finding, kept. `claim_offset` joins it to the claim or remittance at that offset."""

    cached_as = ("claim", "remittance")
    file = models.ForeignKey(EdiFile, models.CASCADE, related_name="findings", db_index=False, db_constraint=False)
    chunk = models.ForeignKey(Chunk, models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False)
    level = models.CharField(max_length=1)
    code_set = models.CharField(max_length=10)
    code = models.CharField(max_length=20)
    message = models.TextField()
    byte_offset = models.BigIntegerField()
    segment_position = models.PositiveIntegerField(default=0)
    segment_id = models.CharField(max_length=10, blank=True)
    loop = models.CharField(max_length=10, blank=True)
    element = models.PositiveSmallIntegerField(default=0)
    component = models.PositiveSmallIntegerField(default=0)
    interchange_control = models.CharField(max_length=20, blank=True)
    group_control = models.CharField(max_length=20, blank=True)
    set_control = models.CharField(max_length=20, blank=True)
    claim_offset = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["file_id", "byte_offset", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(level__in=["X", "G", "T", "C", "W"]), name="finding_level_known"),
        ]
        indexes = [
            # a file's findings in the order of the file, and those of one claim
            models.Index(fields=["file", "byte_offset"], name="finding_of_file"),
            models.Index(
                fields=["file", "claim_offset"], name="finding_of_claim", condition=Q(claim_offset__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code_set} {self.code}"


class Quarantine(Loaded):
    """A claim or claim payment that could not become rows. Its bytes are in the file, from here to there."""

    file = models.ForeignKey(EdiFile, models.CASCADE, related_name="quarantined", db_index=False, db_constraint=False)
    chunk = models.ForeignKey(Chunk, models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False)
    byte_from = models.BigIntegerField()
    byte_to = models.BigIntegerField()
    segment_position = models.PositiveIntegerField(default=0)
    set_control = models.CharField(max_length=20, blank=True)
    control_number = models.CharField(max_length=60, blank=True)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)

    class Meta:
        verbose_name = "quarantined claim"
        ordering = ["file_id", "byte_from"]
        constraints = [
            models.UniqueConstraint(fields=["file", "byte_from"], name="quarantine_once"),
            models.CheckConstraint(condition=Q(byte_to__gt=F("byte_from")), name="quarantine_has_extent"),
        ]

    def __str__(self) -> str:
        return f"Quarantined at {self.byte_from} of file {self.file_id}"


class Upload(Scoped):
    """A file that comes in parts (marb.pipeline.resumable). Its person's own: nobody else may continue it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=255)
    byte_count = models.BigIntegerField()
    byte_offset = models.BigIntegerField(default=0)
    file = models.ForeignKey(EdiFile, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(byte_offset__gte=0) & Q(byte_offset__lte=F("byte_count")), name="upload_offset_within"
            ),
        ]
        indexes = [
            # a person's own, newest first; the sweep
            models.Index(fields=["practice", "user", "-id"], name="upload_of_user"),
            models.Index(fields=["expires_at"], name="upload_expiry"),
        ]

    def __str__(self) -> str:
        return f"Upload {self.pk}"


class UploadPart(models.Model):
    """Bytes of an upload, as they came."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="parts", db_index=False)
    byte_from = models.BigIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "byte_from"], name="uploadpart_once")]

    def __str__(self) -> str:
        return f"Part {self.byte_from} of upload {self.upload_id}"


class DeadLetter(models.Model):
    """A message that the workers gave up: a bell that cannot be heard. `ids` are its arguments, `reason` has no PHI."""

    actor = models.CharField(max_length=100)
    queue = models.CharField(max_length=100)
    ids = models.JSONField(default=list)
    message_id = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    redriven_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "dead letter"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.actor} {self.message_id}".strip()
