"""Risk of denial and denial patterns."""
