"""An .onnx file as a session: examined first, then given to onnxruntime.

The file is read once; the bytes that were examined are the bytes that run, so nothing can change in between, and a
model given as bytes has no folder from which onnxruntime could load anything else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from i2i.errors import I2IError, missing_package
from i2i.images.card import METADATA_KEY, ImageCard
from i2i.runtime.memory import is_out_of_memory
from i2i.runtime.ports import check, expected_inputs
from i2i.runtime.structure import MAXIMUM_BYTES, examine

Provider = Literal["auto", "cpu", "cuda"]

_NAMES = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


def read_onnx_card(path: Path | str) -> ImageCard:
    """The card inside an .onnx file; needs neither onnxruntime nor onnx. Raises like `OnnxSession`."""
    return _examined(Path(path))[1]


class OnnxSession:
    """Runs a model with onnxruntime: uint8 NHWC, or a latent, in, uint8 NHWC out.

    `provider`: "auto" takes CUDA when this onnxruntime has it, else the CPU. CUDA has not been measured by us.
    `threads`: threads inside one operation; None leaves the choice to onnxruntime (all physical cores).

    Raises `I2IError` before any session exists: E_ONNX_INVALID (not a model), E_ONNX_EXTERNAL (data in another file),
    E_ONNX_IO (no card, other inputs or outputs than the card says), E_CKPT_NEWER and E_CKPT_MISMATCH (the card),
    E_MISSING_PACKAGE, E_UNREADABLE.
    """

    def __init__(self, path: Path | str, *, provider: Provider = "auto", threads: int | None = None) -> None:
        data, self.card = _examined(Path(path))
        self._session = _session(data, Path(path), provider, threads)
        self.provider: str = self._session.get_providers()[0]
        self._failures = failures()

    def run(
        self,
        image: npt.NDArray[np.uint8] | npt.NDArray[np.float32],
        *,
        domain: npt.NDArray[np.int64] | None = None,
        condition: npt.NDArray[np.float32] | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Translate uint8 [N, H, W, C] to uint8 [N, H*scale, W*scale, C'].

        `image` is the latent, float32 [N, Z], for a generator from noise. `domain`: int64 [N] where the card has
        domains; `condition`: float32 [N, K] where it has attributes.
        Raises `I2IError`: E_CONDITION for a missing one, E_OOM when memory runs out, E_ONNX_INVALID when it fails.
        """
        given = {"image": image, "latent": image, "domain": domain, "condition": condition}
        feed = {port.name: given.get(port.name) for port in expected_inputs(self.card)}
        missing = [name for name, value in feed.items() if value is None]
        if missing:
            raise I2IError("E_CONDITION", f"model '{self.card.name}' needs the input '{missing[0]}'")
        try:
            result: npt.NDArray[np.uint8] = self._session.run(["image_out"], feed)[0]
        except self._failures as error:
            raise _translated(error) from error
        return result


def _examined(path: Path) -> tuple[bytes, ImageCard]:
    data = _bytes(path)
    structure = examine(data, path=path)
    if METADATA_KEY not in structure.metadata:
        message = f"has no '{METADATA_KEY}' in its metadata; make the file with `i2i export`"
        raise I2IError("E_ONNX_IO", message, path=path)
    card = ImageCard.from_json(structure.metadata[METADATA_KEY], path=path)
    try:
        check(structure, card)
    except I2IError as error:
        raise I2IError(error.code, error.message, path=path) from None
    return data, card


def _bytes(path: Path) -> bytes:
    try:
        if not path.exists():
            raise I2IError("E_MODEL_NOT_FOUND", "does not exist", path=path)
        if not path.is_file():
            raise I2IError("E_NOT_REGULAR", "is not a regular file", path=path)
        size = path.stat().st_size
        if size > MAXIMUM_BYTES:
            message = f"{size} bytes; an .onnx file holds at most {MAXIMUM_BYTES}"
            raise I2IError("E_ONNX_INVALID", message, path=path)
        return path.read_bytes()
    except OSError as error:
        raise I2IError("E_UNREADABLE", f"cannot be read ({error.strerror})", path=path) from error


def _session(data: bytes, path: Path, provider: Provider, threads: int | None) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise missing_package("onnxruntime", "onnx") from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads or 0
    # Pictures of many sizes would leave one memory plan each.
    options.enable_mem_pattern = False
    # Bytes that look like onnxruntime's own format would bypass what was examined.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    chosen = _providers(provider, onnxruntime.get_available_providers())
    try:
        return onnxruntime.InferenceSession(data, options, providers=chosen)
    except failures() as error:
        if is_out_of_memory(error):
            raise I2IError("E_OOM", "not enough memory to load the model", path=path) from error
        raise I2IError("E_ONNX_INVALID", f"onnxruntime refuses it: {_first_line(error)}", path=path) from error


def _providers(provider: Provider, available: list[str]) -> list[str]:
    if provider == "cuda" and _NAMES["cuda"] not in available:
        raise I2IError("E_MISSING_PACKAGE", 'this onnxruntime has no CUDA; run: pip install "i2i[gpu]"')
    cuda = provider == "cuda" or (provider == "auto" and _NAMES["cuda"] in available)
    return [_NAMES["cuda"], _NAMES["cpu"]] if cuda else [_NAMES["cpu"]]


def failures() -> tuple[type[Exception], ...]:
    """The exceptions of onnxruntime, which have no common ancestor below Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = (value for value in vars(state).values() if isinstance(value, type) and issubclass(value, Exception))
    return (*found, RuntimeError, MemoryError)


def _translated(error: Exception) -> I2IError:
    if is_out_of_memory(error):
        return I2IError("E_OOM", "not enough memory to translate this picture")
    return I2IError("E_ONNX_INVALID", f"the model failed: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:300]
