"""Practices, memberships, roles and the one scope that every person's query goes through."""
