"""The histogram's laws: every duration is in one bucket, percentiles are within its error, merged is the sum."""

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from marb.core.measure.histogram import (
    MOST_MICROSECONDS,
    bounds_of,
    bucket_of,
    count_up_to,
    merge,
    percentile,
)

durations = st.integers(0, MOST_MICROSECONDS)
many = st.lists(durations, min_size=1, max_size=200)
shares = st.floats(0, 1)


def histogram_of(values):
    return dict(Counter(map(bucket_of, values)))


@given(durations)
def test_a_duration_lies_within_the_bounds_of_its_bucket(value):
    lowest, highest = bounds_of(bucket_of(value))
    assert lowest <= value <= highest


@given(st.integers(0, 2_000))
def test_buckets_follow_each_other_without_a_gap(bucket):
    assert bounds_of(bucket)[1] + 1 == bounds_of(bucket + 1)[0]


@given(durations)
def test_a_bucket_is_at_most_a_sixty_fourth_of_its_values_wide(value):
    lowest, highest = bounds_of(bucket_of(value))
    assert highest - lowest <= lowest / 64


@given(many, shares)
def test_a_percentile_is_within_the_buckets_error_of_the_true_one(values, share):
    true = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    found = percentile(histogram_of(values), share)
    assert found is not None
    assert abs(found - true) <= true / 128 + 0.5


@given(st.lists(many, max_size=5))
def test_merged_parts_are_the_histogram_of_the_whole(parts):
    whole = [value for part in parts for value in part]
    assert merge(map(histogram_of, parts)) == histogram_of(whole)


@given(many, durations)
def test_a_count_up_to_a_bound_counts_none_above_it(values, bound):
    counted = count_up_to(histogram_of(values), bound)
    assert counted <= sum(value <= bound for value in values)
    assert counted >= sum(bounds_of(bucket_of(value))[1] <= bound for value in values)


def test_what_is_out_of_range_counts_at_its_end():
    assert bucket_of(-5) == 0
    assert bucket_of(MOST_MICROSECONDS * 9) == bucket_of(MOST_MICROSECONDS)


def test_of_nothing_there_is_no_percentile():
    assert percentile({}, 0.5) is None
