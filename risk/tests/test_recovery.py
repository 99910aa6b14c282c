"""What was planted and what was found, held against each other: the same cause, missed, not planted."""

from risk.recovery import Cause, planted, recover


def cause(lines: int = 300, lift: float = 3.0, payer: str = "P1", **conditions) -> Cause:
    return Cause(payer, conditions or {"procedure_code": "99213"}, lines, lift)


def test_a_cause_is_found_where_payer_and_conditions_are_the_same():
    assert recover([cause()], [cause(lines=210)])[:3] == ([cause()], [], [])


def test_what_moves_with_the_next_line_need_not_be_equal():
    wanted = cause(days_to_submission_from=90, procedure_code=["A", "B"])
    told = cause(days_to_submission_from=94, procedure_code=["B", "C"])
    assert recover([wanted], [told]).recall == 1
    assert recover([wanted], [cause(procedure_code=["B"])]).recall == 0
    assert recover([wanted], [cause(days_to_submission_from=90, procedure_code=["C"])]).recall == 0


def test_another_payers_or_another_codes_cause_is_missed_and_not_planted():
    for other in (cause(payer="P2"), cause(procedure_code="99214"), cause(procedure_code="99213", modifier="25")):
        found = recover([cause()], [other])
        assert (found.recall, found.precision) == (0, 0)
        assert (found.missed, found.false) == ([cause()], [other])


def test_what_hardly_shows_counts_on_neither_side():
    found = recover([cause(lines=199)], [cause(lift=1.9, procedure_code="1")])
    assert (found.found, found.missed, found.false, found.told) == ([], [], [], 0)
    assert (found.recall, found.precision) == (1, 1)


def test_a_small_planted_cause_that_is_told_large_is_not_false():
    assert recover([cause(lines=199)], [cause()]).precision == 1


def test_a_drift_is_named_by_its_date_and_a_reason_by_its_code():
    common = {"payer": "P1", "lines": 300, "lift": None, "from_date": "2026-01-01"}
    drift = {"kind": "drift", "conditions": {}} | common
    reason = {"kind": "carc", "conditions": {"carc": "27"}} | common
    found = planted({"patterns": [drift, reason]})
    assert [each.conditions for each in found] == [{"submitted_from": "2026-01-01"}, {"carc": "27"}]
    assert planted({}) == []
