"""Reading 837 claims: pure, streaming, one result for every CLM. See claims.edi837.reader for what is covered."""

from claims.edi837.reader import parse_claims
from claims.edi837.records import Heading, ParsedClaim, ParsedLine, Party, QuarantinedClaim

__all__ = ["Heading", "ParsedClaim", "ParsedLine", "Party", "QuarantinedClaim", "parse_claims"]
