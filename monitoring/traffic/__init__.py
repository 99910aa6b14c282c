"""Requests as people make them, and what they cost: for `manage.py loadtest`, `manage.py bench api` and locust.

One module per noun: the wire (connection), how requests are paced (drive), whose requests they are (mix), and what the
answers come to (summary). Nothing here knows Django: the server is reached by HTTP alone.
"""
