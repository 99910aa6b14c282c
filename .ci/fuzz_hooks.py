"""What schemathesis must be told: how the bytes of a part of an upload are sent."""

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
