"""835 remittances: reading, balancing, bulk load, pages and API."""
