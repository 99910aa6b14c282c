"""The settings of processes that the belt's tests start: the tests' own stages instead of the apps'."""

from marb.settings import *  # noqa: F403

EDI_CHUNK_CLAIMS = 2
PIPELINE = {
    "837": ["marb.pipeline.tests.stages.stall_once", "marb.pipeline.tests.stages.load_chunk"],
    "835": ["marb.pipeline.tests.stages.load_chunk"],
    "file": ["marb.pipeline.tests.stages.settle_file"],
    "kept": [],
}
