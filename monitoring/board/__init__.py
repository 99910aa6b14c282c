"""The board that an operator watches in a terminal: read from the measures, drawn (drawing), exported (table)."""
