"""Recognition: engines, speech detection, decoding."""

import os

# onnxruntime reports its use over the network unless it is told not to before it is first imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
