"""The recognition server."""
