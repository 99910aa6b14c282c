"""Tags of the pages of risk."""
