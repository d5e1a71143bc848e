"""Pictures: one file per kind, each with draw(result) -> Figure."""
