"""Acknowledgements: TA1 and 999 written for what was received, TA1, 999, 997 and 277CA read. Pure text and values."""
