"""How words sound, by language."""
