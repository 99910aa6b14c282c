"""Which adjustments are denials (DOMAIN 2.4): what the tables say of a group, a reason (CARC) and its remarks (RARC).

A practice's own rows come before the shipped ones; of those left, one that names the remark before one that does not,
then one that names the group, then the remark first in the alphabet. What no row speaks of is no denial: it waits to
be mapped (episodes.unmapped). Whether an adjustment of this meaning denies is also said by its sign and by whose word
it is (episodes.status). Zero paid is no denial.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from django.db.models import Q

from episodes.models.denial import DenialReason

# what the patient owes of an allowed amount: deductible, coinsurance, copayment
COST_SHARE_CARCS: Final = ["1", "2", "3"]
# what an earlier payer did, said again by the next one
PRIOR_PAYER_CARC: Final = "23"

# an adjustment's meaning by the tables, for statements with the columns `said`.practice_id, group_code, carc, remarks
MEANING = """
SELECT d.* FROM episodes_denialreason d
WHERE d.carc = said.carc AND (d.practice_id IS NULL OR d.practice_id = said.practice_id)
    AND d.group_code IN ('', said.group_code) AND (d.rarc = '' OR d.rarc = ANY(said.remarks))
ORDER BY d.practice_id IS NULL, d.rarc = '', d.group_code = '', d.rarc LIMIT 1
"""


class Denials(NamedTuple):
    """The tables of one practice: its rows, in the order in which they are asked."""

    rows: list[DenialReason]

    def find(self, group: str, carc: str, remarks: Collection[str] = ()) -> DenialReason | None:
        """Find the row that speaks of an adjustment; None where none does."""
        return next((row for row in self.rows if speaks_of(row, group, carc, remarks)), None)

    def is_denial(self, group: str, carc: str, remarks: Collection[str] = ()) -> bool:
        found = self.find(group, carc, remarks)
        return found is not None and found.is_denial

    @property
    def carcs(self) -> list[str]:
        """The reasons that are denials in any group, with any remark."""
        known = {row.carc for row in self.rows}
        return sorted(carc for carc in known if any(self.is_denial(*case) for case in self.cases(carc)))

    def cases(self, carc: str) -> list[tuple[str, str, list[str]]]:
        """List the groups and remarks that rows tell apart for a reason."""
        rows = [row for row in self.rows if row.carc == carc]
        groups = {row.group_code for row in rows} | {""}
        remarks = [[row.rarc] for row in rows if row.rarc]
        return [(group, carc, said) for group in sorted(groups) for said in [[], *remarks]]


def speaks_of(row: DenialReason, group: str, carc: str, remarks: Collection[str]) -> bool:
    return row.carc == carc and row.group_code in ("", group) and (not row.rarc or row.rarc in remarks)


def read_denials(practice_id: int) -> Denials:
    """Read the tables of a practice: one query."""
    rows = DenialReason.objects.filter(Q(practice=None) | Q(practice_id=practice_id))
    return Denials(sorted(rows, key=lambda row: (row.practice_id is None, not row.rarc, not row.group_code, row.rarc)))


def denial_carcs(practice_id: int) -> list[str]:
    """Get the reasons that a practice takes for denials, in some group or with some remark."""
    return read_denials(practice_id).carcs


class Recognition(NamedTuple):
    """How SQL knows a denial: a condition on an adjustment `a` of a remittance `r`, and its parameters."""

    sql: str
    values: dict[str, Any]


def recognise(denials: Denials) -> Recognition:
    """Write the condition by which an adjustment's reason is a denial.

    By the reason alone where its rows all agree, which is nearly always so and costs one probe of a hash; only reasons
    of which the group or the remark decides ask for those.
    """
    plain, parted = [], []
    for carc in sorted({row.carc for row in denials.rows}):
        answers = {denials.is_denial(*case) for case in denials.cases(carc)}
        if len(answers) > 1:
            parted.append(carc)
        elif answers == {True}:
            plain.append(carc)
    sql = "a.carc = ANY(%(denial_carcs)s)"
    if parted:
        sql = f"CASE WHEN a.carc = ANY(%(parted_carcs)s) THEN coalesce(({ASKED}), false) ELSE {sql} END"
    return Recognition(f"({sql})", {"denial_carcs": plain, "parted_carcs": parted})


# a line's remarks are its own and its claim's
ASKED = f"""
SELECT meant.is_denial FROM (
    SELECT a.practice_id, a.group_code, a.carc, r.remark_codes || coalesce(
        (SELECT line.remark_codes FROM remits_remittanceline line WHERE line.id = a.line_id), '{{}}') AS remarks
) said CROSS JOIN LATERAL ({MEANING}) meant
"""
