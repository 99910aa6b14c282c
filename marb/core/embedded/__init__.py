"""The embedded services: PostgreSQL and two Valkeys from wheels, on loopback, under one supervisor."""
