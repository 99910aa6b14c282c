"""The floor: settings, X12 reading, access, parties and the belt. It knows no app above it."""
