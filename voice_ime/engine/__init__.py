"""Recognition: engines, speech detection, decoding."""
