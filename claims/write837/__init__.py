"""Writing 837 claims (005010X222A1 and X223A2): pure, from the values that the reader answers. See write837.file.

What is read back from what is written here is the claim that was written, but for its place in a file.
"""

from claims.write837.cob import Adjudication, LineAdjudication, bill_next
from claims.write837.file import Trading, write_claims
from claims.write837.segments import Unwritable

__all__ = ["Adjudication", "LineAdjudication", "Trading", "Unwritable", "bill_next", "write_claims"]
