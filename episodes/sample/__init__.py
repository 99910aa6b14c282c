"""Synthetic claims and remittances that read like a real practice's. Pure: numbers in, X12 text out; nobody is real."""
