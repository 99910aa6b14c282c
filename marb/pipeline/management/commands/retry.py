"""`manage.py retry --file ID | --chunk ID | --all`: put what was given up on the belt again; workers carry it on.

Parked chunks, last steps that kept failing, files that could not be split, cancelled files. Chunks that are done stay.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marb.pipeline.models import Chunk, ChunkState
from marb.pipeline.retry import retry_file


class Command(BaseCommand):
    help = "Try again what the belt gave up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--file", type=int, metavar="ID", help="a partly accepted or rejected file")
        which.add_argument("--chunk", type=int, metavar="ID", help="one parked chunk")
        which.add_argument("--all", action="store_true", help="every file that has a parked chunk")

    def handle(self, *args: Any, **options: Any) -> None:
        parked = Chunk.objects.filter(state=ChunkState.PARKED)
        if options["file"]:
            self.retry(options["file"])
        elif options["chunk"]:
            chunk = parked.filter(pk=options["chunk"]).first()
            if chunk is None:
                raise CommandError(f"Chunk {options['chunk']} is not parked.")
            self.retry(chunk.file_id, chunk.pk)
        else:
            for file_id in parked.order_by("file_id").values_list("file_id", flat=True).distinct():
                self.retry(file_id)

    def retry(self, file_id: int, chunk_id: int | None = None) -> None:
        if not retry_file(file_id, chunk_id):
            raise CommandError(f"File {file_id} is neither partly accepted nor rejected.")
        self.stdout.write(f"File {file_id} is on the belt again.")
