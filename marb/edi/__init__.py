"""Pure X12: separators, segments, envelopes, values, findings. No Django, no clock, no settings."""
