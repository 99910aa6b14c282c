"""The model of denial: which one a practice has in use, and what it says of claims.

`active(practice_id)` answers it or None; `find` says in a sentence why there is none. Each asking is one small query
for the version in use, and each version's trees are read once a process, so that two workers never differ for longer
than a statement takes.

features of claims: risk.features. rates: risk.history. training: risk.model.training, its pure part risk.model.card.
which model is in use: risk.model.steering.
"""

from risk.model.kept import Found, Model, active, find

__all__ = ["Found", "Model", "active", "find"]
