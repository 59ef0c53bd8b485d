"""Where a model runs: what is chosen, what is refused with its remedy, and the settings of a session."""

import argparse

import numpy as np
import onnxruntime
import pytest

from i2i.cli.model_options import add_model_options
from i2i.errors import I2IError
from i2i.runtime import binding
from i2i.runtime.onnx import OnnxSession
from i2i.runtime.providers import ENGINES, PROVIDERS, choose, require_started, session_options

CPU = "CPUExecutionProvider"
GPU = ["TensorrtExecutionProvider", "CUDAExecutionProvider", CPU]


def test_the_commands_take_the_words_of_the_table():
    parser = argparse.ArgumentParser()
    add_model_options(parser)
    choices = next(action.choices for action in parser._actions if action.dest == "provider")
    assert choices is PROVIDERS
    assert set(PROVIDERS) == {"auto", *ENGINES}


def test_auto_takes_what_this_onnxruntime_was_installed_for():
    assert choose("auto", [CPU]) == ["cpu"]
    assert choose("auto", GPU) == ["cuda", "cpu"]  # TensorRT would build an engine at each new size
    assert choose("auto", ["DmlExecutionProvider", CPU]) == ["directml", "cpu"]
    assert choose("auto", ["OpenVINOExecutionProvider", CPU]) == ["openvino", "cpu"]
    assert choose("auto", ["CoreMLExecutionProvider", CPU]) == ["cpu"]


def test_what_is_asked_for_is_taken_with_the_cpu_behind_it():
    assert choose("cpu", GPU) == ["cpu"]
    assert choose("tensorrt", GPU) == ["tensorrt", "cpu"]
    assert choose("coreml", ["CoreMLExecutionProvider", CPU]) == ["coreml", "cpu"]


@pytest.mark.parametrize(
    ("provider", "package"),
    [
        ("cuda", r"i2i\[gpu\]"),
        ("tensorrt", "TensorRT"),
        ("directml", "onnxruntime-directml"),
        ("openvino", "onnxruntime-openvino"),
        ("coreml", "macOS"),
    ],
)
def test_what_is_asked_for_and_not_there_names_its_package(provider, package):
    with pytest.raises(I2IError, match=package) as caught:
        choose(provider, [CPU])
    assert caught.value.code == "E_MISSING_PACKAGE"


def test_a_word_that_is_no_provider_is_refused():
    with pytest.raises(I2IError, match="did you mean 'cuda'"):
        choose("cude", GPU)


def test_a_provider_that_is_there_and_does_not_start_is_no_silent_cpu():
    with pytest.raises(I2IError, match="cannot be started") as caught:
        require_started("cuda", CPU)
    assert caught.value.code == "E_MISSING_PACKAGE"
    assert require_started("auto", CPU) == "cpu"
    assert require_started("cuda", "CUDAExecutionProvider") == "cuda"


def test_every_provider_is_one_that_onnxruntime_knows():
    assert {"auto", *ENGINES} == set(PROVIDERS)
    assert {engine.name for engine in ENGINES.values()} <= set(onnxruntime.get_all_providers())


def test_for_latency_one_picture_has_all_threads_and_for_throughput_each_its_own(make_model):
    assert session_options(onnxruntime, threads=3, lanes=1).intra_op_num_threads == 3
    assert session_options(onnxruntime, threads=3, lanes=3).intra_op_num_threads == 1
    assert OnnxSession(make_model(), threads=3).lanes == 1
    assert OnnxSession(make_model(), threads=3, throughput=True).lanes == 3


def test_a_bound_run_gives_what_a_run_gives(make_model):
    path = make_model(domains=("same", "inverse"))
    session = OnnxSession(path, threads=1)
    image, domain = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3), np.array([1])
    raw = onnxruntime.InferenceSession(path.read_bytes(), providers=[CPU])
    lying = binding.kept({"domain": domain}, device="cpu")
    for _ in range(2):
        assert np.array_equal(binding.run(raw, {"image": image}, lying), session.run(image, domain=domain))
