"""The mutable graph: networks, populations, projections and their history."""
