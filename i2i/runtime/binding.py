"""Running a model on a device by bindings: what stays the same from picture to picture is carried over once.

Written for GPUs and unmeasured on one; onnxruntime's CPU device takes the same calls, which the tests make.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def kept(arrays: Mapping[str, npt.NDArray[Any]], *, device: str) -> dict[str, Any]:
    """Inputs as values that lie on the device, for many runs."""
    from onnxruntime import OrtValue

    return {name: OrtValue.ortvalue_from_numpy(array, device, 0) for name, array in arrays.items()}


def run(session: Any, feed: Mapping[str, npt.NDArray[Any]], lying: Mapping[str, Any]) -> npt.NDArray[np.uint8]:
    """`image_out` of a session for arrays and for what is `kept` on its device already."""
    binding = session.io_binding()
    for name, array in feed.items():
        binding.bind_cpu_input(name, np.ascontiguousarray(array))
    for name, value in lying.items():
        binding.bind_ortvalue_input(name, value)
    binding.bind_output("image_out")
    session.run_with_iobinding(binding)
    result: npt.NDArray[np.uint8] = binding.copy_outputs_to_cpu()[0]
    return result
