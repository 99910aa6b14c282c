"""How static files are stored: named by their content, compressed once.

gzip only: brotli at its best level takes half a minute for the API's documentation alone, and would be paid at a
newcomer's first start.
"""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    def create_compressor(self, **kwargs: Any) -> Compressor:
        return super().create_compressor(**{**kwargs, "use_brotli": False})
