"""Saying what happens."""
