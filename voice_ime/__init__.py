"""voice-ime: voice input for blind people. Importing the package loads nothing heavy."""

__version__ = "0.1.0"
