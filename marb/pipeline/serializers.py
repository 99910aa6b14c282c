"""How a finding is answered, wherever it is shown: with a file, a claim or a remittance."""

from rest_framework import serializers

from marb.pipeline.models import Finding


class FindingSerializer(serializers.ModelSerializer[Finding]):
    """What is wrong and where; never the text that is wrong."""

    class Meta:
        model = Finding
        fields = [
            *("id", "level", "code_set", "code", "message", "byte_offset", "segment_position", "segment_id"),
            *("loop", "element", "component", "interchange_control", "group_control", "set_control"),
        ]
