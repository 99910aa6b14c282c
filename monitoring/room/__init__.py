"""The control room: one page of the admin that shows whether the product is well, how fast it is, and what is slow.

range   the time ranges and the rows that each is read from
words   numbers as a person reads them: milliseconds, megabytes, percent, ages
table   what a part of the page is made of: cells, columns, tables, tiles, charts
reading what several parts stand on, read once for an answer
belt, work, machine   the parts: ingest and queues; requests, actors and statements; hosts, pools, caches, processes
state   healthy or degraded, and why
figures all parts as one JSON answer; a part that cannot be read is named, and the others are answered
page    the page and its address for figures
banner  the open alerts, above every page of the admin

It shows counts and names of ours, no patient, and is a superuser's: what is measured belongs to no practice.
"""
