"""Recognition: engines, speech detection, decoding."""

import os

# onnxruntime reports its use over the network unless it is told not to before it is first imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# numpy's matrices are small here: more threads only wait for each other, and spin while they wait.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
