"""`python -m voice_ime` is the same as `voice-ime`."""

import sys

from voice_ime.cli import main

sys.exit(main())
