"""What is not kept: uploads that nobody went on with. Files and what was read from them are no matter of this."""

from django.db.models.functions import Now

from marb.pipeline.models import Upload


def sweep_uploads(most: int = 100) -> int:
    """Delete uploads that have expired with their parts, at most so many; answers how many."""
    ids = list(Upload.objects.filter(expires_at__lt=Now()).order_by("expires_at").values_list("id", flat=True)[:most])
    Upload.objects.filter(pk__in=ids).delete()
    return len(ids)
