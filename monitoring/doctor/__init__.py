"""`manage.py doctor`: what is wrong with this set-up, and what to do about it, a line each.

A check answers findings (finding); database, servers and machine hold the checks, runner asks them all.
"""
