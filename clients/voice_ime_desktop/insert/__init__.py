"""Ways to put text into applications."""
