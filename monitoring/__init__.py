"""The control room: reads everybody's rows; nobody imports it."""
