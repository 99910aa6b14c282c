"""Payers, plans and providers: the reference rows that claims and remittances both point to."""
