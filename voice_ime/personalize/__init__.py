"""A person's own words: what they are, how they sound, and how they get into the text."""
