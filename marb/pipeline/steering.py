"""What a person may tell a file to do: pause, resume, cancel, retry; one table for the API, the admin and its pages.

Each order answers whether there was anything to do; the sentence for where there was not stands beside it.
"""

from collections.abc import Callable
from typing import NamedTuple

from marb.pipeline.hold import FileBusy, cancel_file, pause_file, resume_file
from marb.pipeline.models import EdiFile, FileStatus, Hold
from marb.pipeline.retry import retry_file


class Order(NamedTuple):
    """An order's word, the function that carries it out, and what is said where it has nothing to do."""

    word: str
    label: str
    carry_out: Callable[[int], bool]
    refusal: str


ORDERS = {
    order.word: order
    for order in (
        Order("pause", "Pause", pause_file, "Only a file that is being read can be paused."),
        Order("resume", "Resume", resume_file, "Only a paused file can be resumed."),
        Order("cancel", "Cancel", cancel_file, "Nothing of this file is left to cancel."),
        Order("retry", "Retry", retry_file, "Only a file that is partly accepted or rejected can be tried again."),
    )
}
BUSY = "The file is being split or closed at this moment; ask again in a few seconds."


def give(word: str, file_id: int) -> str:
    """Give an order. Answers the sentence that says why it was not carried out, or nothing."""
    order = ORDERS[word]
    try:
        return "" if order.carry_out(file_id) else order.refusal
    except FileBusy:
        return BUSY


def possible(file: EdiFile) -> list[Order]:
    """List the orders that make sense for a file as it is."""
    if file.status in (FileStatus.PARTIAL, FileStatus.REJECTED):
        return [ORDERS["retry"]]
    if file.status not in (FileStatus.RECEIVED, FileStatus.RUNNING) or file.hold == Hold.CANCELLED:
        return []
    return [ORDERS["resume" if file.hold == Hold.PAUSED else "pause"], ORDERS["cancel"]]
