"""The belt: files, sets, chunks, findings; receiving, splitting, leases, the runner."""
