"""How files, their sets, findings and quarantined claims are answered; a finding wherever it is shown."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marb.core.bulk import TextField, WholeNumberField
from marb.pipeline.models import EdiFile, FileStatus, Finding, Hold, Quarantine, TransactionSet, Upload
from marb.pipeline.progress import measure


class FindingSerializer(serializers.ModelSerializer[Finding]):
    """What is wrong and where; never the text that is wrong."""

    class Meta:
        model = Finding
        fields = [
            *("id", "level", "code_set", "code", "message", "byte_offset", "segment_position", "segment_id"),
            *("loop", "element", "component", "interchange_control", "group_control", "set_control"),
        ]


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a file is; rates are claims per second, null as long as they are not known."""

    percent = serializers.IntegerField()
    bytes_done = serializers.IntegerField()
    byte_count = serializers.IntegerField()
    chunks_done = serializers.IntegerField()
    chunk_count = serializers.IntegerField()
    claims = serializers.IntegerField()
    scan_claims = serializers.IntegerField()
    findings = serializers.IntegerField()
    seconds = serializers.FloatField()
    rate = serializers.FloatField(allow_null=True)
    seconds_left = serializers.FloatField(allow_null=True)


@extend_schema_field(ProgressSerializer)
class ProgressField(serializers.Field[Any, Any, Any, Any]):
    """A file's progress from its chunks: one query, on the detail alone."""

    def show(self, file_id: Any, row: Any, view: Any) -> dict[str, Any]:
        return measure([file_id])[file_id]._asdict()


class FileSerializer(serializers.ModelSerializer[EdiFile]):
    """A file and what it came to; while it runs, how many of its chunks are done."""

    class Meta:
        model = EdiFile
        fields = [
            *("id", "practice", "name", "byte_count", "kind", "status", "hold", "reason", "received_at", "finished_at"),
            *("claim_count", "claims_quarantined", "claims_rejected", "charge_amount"),
            *("remittance_count", "remittances_quarantined", "remittances_rejected", "paid_amount"),
            *("finding_count", "chunk_count", "chunks_done"),
        ]


class FileDetailSerializer(FileSerializer):
    """The same, with the counts of the raw bytes to hold against it."""

    uploaded_by = serializers.CharField(source="uploaded_by.username", allow_null=True)
    progress = ProgressField(source="id", read_only=True)

    class Meta(FileSerializer.Meta):
        fields = [
            *FileSerializer.Meta.fields,
            *("sha256", "uploaded_by", "started_at", "scan_claim_count", "scan_remittance_count"),
            *("scan_charge_amount", "scan_paid_amount", "progress"),
        ]


class FileFindingSerializer(FindingSerializer):
    """A finding and the offset of the claim or claim payment it concerns."""

    class Meta(FindingSerializer.Meta):
        fields = [*FindingSerializer.Meta.fields, "claim_offset"]


class SetSerializer(serializers.ModelSerializer[TransactionSet]):
    class Meta:
        model = TransactionSet
        fields = [
            *("id", "byte_from", "byte_to", "set_code", "guide", "sender_code", "receiver_code"),
            *("interchange_control", "group_control", "set_control", "segment_count", "claim_count"),
            *("remittance_count", "status", "reason"),
        ]


class QuarantineSerializer(serializers.ModelSerializer[Quarantine]):
    class Meta:
        model = Quarantine
        fields = [
            *("id", "byte_from", "byte_to", "segment_position", "set_control", "control_number", "charge_amount"),
        ]


class SegmentSerializer(serializers.Serializer[Any]):
    """One segment as it came, without its terminator."""

    byte_offset = serializers.IntegerField()
    segment_position = serializers.IntegerField()
    text = serializers.CharField()


class QuarantineDetailSerializer(QuarantineSerializer):
    segments = SegmentSerializer(many=True)

    class Meta(QuarantineSerializer.Meta):
        fields = [*QuarantineSerializer.Meta.fields, "segments"]


class StateSerializer(ProgressSerializer):
    """A file's status and progress, and nothing else of it: what is asked again and again."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(FileStatus.choices)
    hold = serializers.ChoiceField(Hold.choices, allow_blank=True)


class UploadSerializer(serializers.ModelSerializer[Upload]):
    """An upload in parts: it goes on at `byte_offset`; `file` is there when it is finished."""

    class Meta:
        model = Upload
        fields = ["id", "practice", "name", "byte_count", "byte_offset", "file", "created_at", "expires_at"]


class UploadBeginSerializer(serializers.Serializer[Any]):
    """What begins an upload; `practice` is a code, for members of several."""

    name = TextField(max_length=255, default="", allow_blank=True)
    byte_count = WholeNumberField(min_value=1, max_value=2**63 - 1)
    practice = TextField(max_length=40, required=False)


class UploadedSerializer(serializers.Serializer[Any]):
    """Where an upload went: 202 for a new file, 200 for bytes that were there before."""

    id = serializers.IntegerField()
    status = serializers.CharField()
    is_duplicate = serializers.BooleanField()
    url = serializers.URLField()
