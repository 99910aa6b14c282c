"""Durations counted in buckets whose bounds never change, so that parts of any origin merge exactly, in SQL too.

The layout is HDR Histogram's: whole microseconds, exact below 128, beyond it 64 buckets to each doubling, so that a
bucket is at most 1/64 of its values wide and its middle at most 0.8 % off. A library's encoded histogram could not be
summed by PostgreSQL. Pure: no clock, no lock.
"""

from collections.abc import Iterable, Mapping

SUB_BITS = 6
EXACT = 2 << SUB_BITS
# the longest that is told apart: about 12 days
MOST_MICROSECONDS = 2**40 - 1


def bucket_of(microseconds: int) -> int:
    """Get the bucket of a duration; a negative one counts as 0, one beyond MOST_MICROSECONDS as that."""
    if microseconds < EXACT:
        return max(microseconds, 0)
    if microseconds > MOST_MICROSECONDS:
        microseconds = MOST_MICROSECONDS
    shift = microseconds.bit_length() - SUB_BITS - 1
    return (shift << SUB_BITS) + (microseconds >> shift)


def bounds_of(bucket: int) -> tuple[int, int]:
    """Get a bucket's lowest and highest whole microsecond, both within it."""
    if bucket < EXACT:
        return bucket, bucket
    shift = (bucket >> SUB_BITS) - 1
    lowest = (bucket - (shift << SUB_BITS)) << shift
    return lowest, lowest + (1 << shift) - 1


def middle_of(bucket: int) -> float:
    """Get a bucket's middle in microseconds."""
    lowest, highest = bounds_of(bucket)
    return (lowest + highest) / 2


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Get the duration in microseconds that `share` (0 to 1) of all are not above, by nearest rank; None of nothing."""
    total = sum(counts.values())
    rank = max(1, -int(-share * total // 1))
    for bucket in sorted(counts):
        rank -= counts[bucket]
        if rank <= 0:
            return middle_of(bucket)
    return None


def merge(parts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Sum histograms bucket by bucket."""
    merged: dict[int, int] = {}
    for part in parts:
        for bucket, count in part.items():
            merged[bucket] = merged.get(bucket, 0) + count
    return merged


def count_up_to(counts: Mapping[int, int], microseconds: int) -> int:
    """Count the durations in buckets that end at or before a bound: Prometheus's `le`."""
    return sum(count for bucket, count in counts.items() if bounds_of(bucket)[1] <= microseconds)
