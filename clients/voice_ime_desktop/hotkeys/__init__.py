"""Keys that work whatever has the focus."""
