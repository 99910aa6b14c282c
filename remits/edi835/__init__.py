"""Read the 835 (005010X221, X221A1 and 004010X091): payments, remittances, provider adjustments.

`parse_payments` walks an Excerpt once and yields, in the order of the file, one Payment per ST (also where the ST's
heading stands in the context: a payment is known by the byte offset of its ST), exactly one Remittance or Quarantined
per CLP, one ProviderAdjustment per reason of a PLB, and the Findings. Amounts are integer cents in the sign of the
file. What the amounts come to is judged in remits.balance; envelopes and counts are the scan's.

The laws: as many Remittances and Quarantined as there are CLPs; no exception for any bytes; a body cut before any CLP
and read in pieces, each with its context, yields the same.
"""

from remits.edi835.line import Adjustment, RemittanceLine
from remits.edi835.payment import Payment, ProviderAdjustment
from remits.edi835.reader import Result, parse_payments
from remits.edi835.remittance import Remittance

__all__ = [
    "Adjustment",
    "Payment",
    "ProviderAdjustment",
    "Remittance",
    "RemittanceLine",
    "Result",
    "parse_payments",
]
