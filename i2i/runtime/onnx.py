"""An .onnx file as a session: examined first, then given to onnxruntime.

The file is read once; the bytes that were examined are the bytes that run, so nothing can change in between, and a
model given as bytes has no folder from which onnxruntime could load anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from i2i.errors import I2IError, missing_package
from i2i.images.card import METADATA_KEY, ImageCard
from i2i.runtime import binding, norms
from i2i.runtime.conditions import Asked
from i2i.runtime.memory import is_out_of_memory
from i2i.runtime.ports import check, expected_inputs
from i2i.runtime.providers import ENGINES, Provider, choose, processors, require_started, session_options
from i2i.runtime.structure import MAXIMUM_BYTES, examine

Image = npt.NDArray[np.uint8] | npt.NDArray[np.float32]


def read_onnx_card(path: Path | str) -> ImageCard:
    """The card inside an .onnx file; needs neither onnxruntime nor onnx. Raises like `OnnxSession`."""
    return _examined(Path(path))[1]


class OnnxSession:
    """Runs a model with onnxruntime: uint8 NHWC, or a latent, in, uint8 NHWC out.

    `provider`: where it runs; "auto" takes what onnxruntime was installed for (`i2i.runtime.providers`), and the
    attribute `provider` says what that is. Only the CPU has been measured by us. `threads`: those it uses at most; None
    leaves the choice to onnxruntime (all physical cores). `throughput`: on the CPU, for many pictures: as many calls
    of `run` at once as there are threads, `lanes`, each on a thread of its own, in place of one on all of them.

    Raises `I2IError` before any session exists: E_ONNX_INVALID (not a model), E_ONNX_EXTERNAL (data in another file),
    E_ONNX_IO (no card, other inputs or outputs than the card says), E_CKPT_NEWER and E_CKPT_MISMATCH (the card),
    E_MISSING_PACKAGE (also for a provider that is not there), E_UNREADABLE.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        provider: Provider = "auto",
        threads: int | None = None,
        throughput: bool = False,
    ) -> None:
        self._path, self._asked, self._threads = Path(path), provider, threads
        self._data, self.card = _examined(self._path)
        self.lanes = (threads or processors()) if throughput else 1
        self._session = self._opened(self._data)
        self.provider: str = require_started(provider, self._session.get_providers()[0])
        if self.provider != "cpu":
            self.lanes = 1

    @cached_property
    def obstacle(self) -> str:
        """Why tiles of a picture, translated one by one, would not fit together; empty where they do."""
        return norms.obstacle(self._data)

    def settled(
        self, samples: Iterable[npt.NDArray[np.uint8]], asked: Asked, *, corner: npt.NDArray[np.uint8]
    ) -> OnnxSession | SettledSession:
        """A session for the tiles of one picture: its instance norms have the statistics of these `samples` of it.

        `samples`: batches of parts, uint8 [N, H, W, C], which are to be what is `asked` of the one picture; `corner`:
        the part where it begins, uint8 [1, H, W, C]. Raises as `run` does.
        """
        found = self._norms
        if found is None:
            return self
        measuring, settled = self._settling
        firsts = self._told(self._corner, found.firsts, corner, asked, {}) if found.firsts else []
        given = dict(zip(found.firsts, firsts, strict=True))
        batches = [self._told(measuring, found.statistics, batch, asked, given) for batch in samples]
        statistics = zip(found.statistics, norms.pooled(batches), strict=True)
        return SettledSession(self, settled, {**given, **dict(statistics)})

    def run(
        self,
        image: Image,
        *,
        domain: npt.NDArray[np.int64] | None = None,
        condition: npt.NDArray[np.float32] | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Translate uint8 [N, H, W, C] to uint8 [N, H*scale, W*scale, C'].

        `image` is the latent, float32 [N, Z], for a generator from noise. `domain`: int64 [N] where the card has
        domains; `condition`: float32 [N, K] where it has attributes.
        Raises `I2IError`: E_CONDITION for a missing one, E_OOM when memory runs out, E_ONNX_INVALID when it fails.
        """
        return _run(self._session, _feed(self.card, image, Asked(domain, condition)), {}, self.device)

    @property
    def device(self) -> str:
        """Where onnxruntime keeps this model's tensors: "cpu" or "cuda"."""
        return ENGINES[self.provider].device if self.provider in ENGINES else "cpu"

    @cached_property
    def _norms(self) -> norms.Norms | None:
        return norms.find(self._data)

    @cached_property
    def _settling(self) -> tuple[Any, Any]:
        """The sessions of the two models that `norms` makes; only pictures in tiles need them."""
        assert self._norms is not None  # the caller has asked
        return self._opened(self._norms.measuring, lanes=1), self._opened(self._norms.settled)

    @cached_property
    def _corner(self) -> Any:
        assert self._norms is not None  # the caller has asked
        return self._opened(self._norms.corner, lanes=1)

    def _told(
        self,
        session: Any,
        names: Sequence[str],
        batch: npt.NDArray[np.uint8],
        asked: Asked,
        given: Mapping[str, npt.NDArray[np.float32]],
    ) -> list[npt.NDArray[np.float32]]:
        """What a session gives by these names for parts of one picture."""
        try:
            return list(session.run(list(names), {**_feed(self.card, batch, asked.rows([0] * len(batch))), **given}))
        except failures() as error:
            raise _translated(error) from error

    def _opened(self, data: bytes, *, lanes: int | None = None) -> Any:
        try:
            import onnxruntime
        except ImportError:
            raise missing_package("onnxruntime", "onnx") from None
        options = session_options(onnxruntime, threads=self._threads, lanes=lanes or self.lanes)
        chosen = choose(self._asked, onnxruntime.get_available_providers())
        engines = [(ENGINES[word].name, ENGINES[word].options) for word in chosen]
        try:
            return onnxruntime.InferenceSession(data, options, providers=engines, enable_fallback=0)
        except failures() as error:
            if is_out_of_memory(error):
                raise I2IError("E_OOM", "not enough memory to load the model", path=self._path) from error
            message = f"onnxruntime refuses it: {_first_line(error)}"
            raise I2IError("E_ONNX_INVALID", message, path=self._path) from error


class SettledSession:
    """An `OnnxSession` for the tiles of one picture, whose instance norms have its statistics."""

    obstacle = ""

    def __init__(self, whole: OnnxSession, session: Any, statistics: Mapping[str, npt.NDArray[np.float32]]) -> None:
        self.card, self.provider, self.lanes = whole.card, whole.provider, whole.lanes
        self._session, self._device = session, whole.device
        self._statistics = statistics if self._device == "cpu" else binding.kept(statistics, device=self._device)

    def settled(
        self, samples: Iterable[npt.NDArray[np.uint8]], asked: Asked, *, corner: npt.NDArray[np.uint8]
    ) -> SettledSession:
        """It is settled already."""
        return self

    def run(
        self,
        image: Image,
        *,
        domain: npt.NDArray[np.int64] | None = None,
        condition: npt.NDArray[np.float32] | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Translate tiles; arguments and errors are those of `OnnxSession.run`."""
        return _run(self._session, _feed(self.card, image, Asked(domain, condition)), self._statistics, self._device)


def _feed(card: ImageCard, image: Image, asked: Asked) -> dict[str, npt.NDArray[Any]]:
    """The graph's inputs by name. Raises `I2IError` (E_CONDITION) for one that is missing."""
    given: dict[str, npt.NDArray[Any] | None] = {"image": image, "latent": image, **asked._asdict()}
    feed = {}
    for port in expected_inputs(card):
        value = given[port.name]
        if value is None:
            raise I2IError("E_CONDITION", f"model '{card.name}' needs the input '{port.name}'")
        feed[port.name] = value
    return feed


def _run(
    session: Any, feed: dict[str, npt.NDArray[Any]], more: Mapping[str, Any], device: str
) -> npt.NDArray[np.uint8]:
    """`image_out`, with inputs that stay the same from call to call in `more`."""
    try:
        if device != "cpu":
            return binding.run(session, feed, more)
        result: npt.NDArray[np.uint8] = session.run(["image_out"], {**feed, **more})[0]
    except failures() as error:
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


@cache
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
