"""From recognised words to text that fits where it is put."""
