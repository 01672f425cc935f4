"""The actions of `voice-ime profile`."""
