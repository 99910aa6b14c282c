"""Episodes: one claim's chain of submissions with all of its remittances."""
