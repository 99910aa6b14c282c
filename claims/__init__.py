"""837 claims: reading, edits, bulk load, pages and API."""
