"""Files, chunks and findings for tests."""

import hashlib
from typing import Any

from marb.access.models import Practice
from marb.pipeline.models import Chunk, EdiFile, FileStatus, Finding


def create_file(practice: Practice, name: str = "claims.837", **columns: Any) -> EdiFile:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    values = {"sha256": sha256, "byte_count": 1000, "kind": "837", "status": FileStatus.ACCEPTED, **columns}
    return EdiFile.objects.create(practice=practice, name=name, **values)


def create_chunk(file: EdiFile, **columns: Any) -> Chunk:
    values = {"seq": 0, "kind": file.kind, "byte_from": 0, "byte_to": 1000, "separators": "*:^~", **columns}
    return Chunk.objects.create(practice=file.practice, file=file, **values)


def create_finding(file: EdiFile, claim_offset: int | None = None, **columns: Any) -> Finding:
    coded = {"level": "C", "code_set": "EDIT", "code": "charges", "message": "The lines do not add up."}
    values = {**coded, "byte_offset": claim_offset or 0, "segment_id": "CLM", "loop": "2300", **columns}
    return Finding.objects.create(practice=file.practice, file=file, claim_offset=claim_offset, **values)
