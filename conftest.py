"""Tests run on real PostgreSQL and Valkey, at DATABASE_URL, BROKER_URL and CACHE_URL; `make test` starts its own."""
