"""What is known of each language, for all tests: reading it takes a second and some 60 megabytes."""

from voice_ime.personalize.retrieve import Lexicons

LEXICONS = Lexicons()
