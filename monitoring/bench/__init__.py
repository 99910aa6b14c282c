"""Measuring the belt at its work: `manage.py bench` on files of the sample, in a database of its own.

One module per noun: the scratch database (house), the input (files, held), what is measured (reading, loading, bare,
linking, works), and how it is told (figures, report). Every figure is a median with its single runs beside it, and a
rate that PostgreSQL bounds stands next to a bare COPY of the same rows in the same minutes. Nobody's rows are touched.
"""
