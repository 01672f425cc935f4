"""Opening ONNX models the same way everywhere."""

from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as _state

ONNX_ERRORS: tuple[type[Exception], ...] = (
    _state.EPFail,
    _state.Fail,
    _state.InvalidArgument,
    _state.InvalidGraph,
    _state.InvalidProtobuf,
    _state.NoModel,
    _state.NoSuchFile,
    _state.NotImplemented,
    _state.RuntimeException,
)
"""What onnxruntime raises: it has no class of its own above them."""


def open_session(path: Path, threads: int, *, arena: bool) -> onnxruntime.InferenceSession:
    """A session that may be run from several threads at once, each run using `threads`.

    `arena`: keep the memory of runs for the next ones. Threads never spin: other work wants the processor.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = arena
    options.log_severity_level = 4  # errors come as exceptions; onnxruntime would also write them to the terminal
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
