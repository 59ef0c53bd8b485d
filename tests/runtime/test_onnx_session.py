from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from i2i.errors import I2IError
from i2i.images.card import METADATA_KEY, Pixels, Sizing
from i2i.runtime.onnx import OnnxSession, read_onnx_card


def refusal(path: Path) -> I2IError:
    with pytest.raises(I2IError) as caught:
        OnnxSession(path)
    return caught.value


def edited(path: Path, edit) -> Path:
    model = onnx.ModelProto.FromString(path.read_bytes())
    edit(model)
    path.write_bytes(model.SerializeToString())
    return path


def external(tensor: TensorProto, location: str) -> TensorProto:
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def weight(name: str = "w") -> TensorProto:
    return numpy_helper.from_array(np.zeros(4, np.float32), name)


def test_a_model_runs_and_its_card_is_read(make_model):
    session = OnnxSession(make_model(name="m.onnx", licence="MIT"), threads=1)
    image = np.arange(2 * 3 * 5 * 3, dtype=np.uint8).reshape(2, 3, 5, 3)
    assert np.array_equal(session.run(image), 255 - image)
    assert session.card.licence == "MIT"
    assert (session.provider, session.lanes) == ("cpu", 1)


def test_the_domain_number_selects_the_domain(make_model):
    session = OnnxSession(make_model(domains=("same", "inverse")), threads=1)
    image = np.full((1, 2, 2, 3), 7, np.uint8)
    assert session.run(image, domain=np.array([0])).max() == 7
    assert session.run(image, domain=np.array([1])).min() == 248


def test_a_missing_domain_is_refused_with_its_name(make_model):
    session = OnnxSession(make_model(domains=("same", "inverse")), threads=1)
    with pytest.raises(I2IError, match="needs the input 'domain'") as caught:
        session.run(np.zeros((1, 2, 2, 3), np.uint8))
    assert caught.value.code == "E_CONDITION"


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "link.bin", "weights.bin", "\\\\host\\share"])
def test_weights_in_another_file_are_refused_whatever_its_name(make_model, tmp_path, location):
    (tmp_path / "link.bin").symlink_to("/etc/passwd")
    path = edited(make_model(), lambda model: model.graph.initializer.append(external(weight(), location)))
    error = refusal(path)
    assert error.code == "E_ONNX_EXTERNAL"
    assert location in str(error)
    assert error.path == path


def attribute_tensor(model):
    node = helper.make_node("Constant", [], ["c"], value=external(weight(), "../x"))
    model.graph.node.append(node)


def subgraph_tensor(model):
    inner = helper.make_graph([], "inner", [], [], [external(weight(), "../x")])
    model.graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=inner, else_branch=inner))


def subgraph_of_subgraph(model):
    inner = helper.make_graph([], "inner", [], [], [external(weight(), "../x")])
    node = helper.make_node("If", ["c"], ["d"], then_branch=inner, else_branch=inner)
    outer = helper.make_graph([node], "outer", [], [])
    model.graph.node.append(helper.make_node("Loop", ["c"], ["e"], body=outer))


def list_attribute(model):
    model.graph.node.append(helper.make_node("Custom", [], ["c"], tensors=[weight(), external(weight(), "../x")]))


def graphs_attribute(model):
    inner = helper.make_graph([], "inner", [], [], [external(weight(), "../x")])
    model.graph.node.append(helper.make_node("Custom", [], ["c"], graphs=[inner]))


def sparse_values(model):
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(external(weight(), "../x"))


def sparse_attribute(model):
    attribute = model.graph.node[0].attribute.add()
    attribute.name = "s"
    attribute.sparse_tensor.indices.CopyFrom(external(weight(), "../x"))


def function_tensor(model):
    node = helper.make_node("Constant", [], ["c"], value=external(weight(), "../x"))
    model.functions.append(helper.make_function("own", "F", [], ["c"], [node], [helper.make_opsetid("", 18)]))


def training_graph(model):
    model.training_info.add().algorithm.initializer.append(external(weight(), "../x"))


def location_without_entry(model):
    tensor = weight()
    tensor.data_location = TensorProto.EXTERNAL
    model.graph.initializer.append(tensor)


def entry_without_location(model):
    tensor = weight()
    tensor.external_data.add(key="location", value="../x")
    model.graph.initializer.append(tensor)


def compiled_context(model):
    model.graph.node.append(helper.make_node("EPContext", [], ["c"], domain="com.microsoft", ep_cache_context="../x"))


@pytest.mark.parametrize(
    "hide",
    [
        attribute_tensor,
        subgraph_tensor,
        subgraph_of_subgraph,
        list_attribute,
        graphs_attribute,
        sparse_values,
        sparse_attribute,
        function_tensor,
        training_graph,
        location_without_entry,
        entry_without_location,
        compiled_context,
    ],
)
def test_external_data_is_found_wherever_it_hides(make_model, hide):
    assert refusal(edited(make_model(), hide)).code == "E_ONNX_EXTERNAL"


def test_a_data_location_that_only_a_lax_reader_cuts_to_external_is_refused(make_model):
    # Field 14 as the varint 2**32 + 1, which protobuf cuts to 32 bits: 1, EXTERNAL. Tensor: field 5 of graph, field 7.
    tensor = b"\x70\x81\x80\x80\x80\x10"
    graph = b"\x2a" + bytes([len(tensor)]) + tensor
    path = make_model()
    path.write_bytes(b"\x3a" + bytes([len(graph)]) + graph)
    assert onnx.ModelProto.FromString(path.read_bytes()).graph.initializer[0].data_location == TensorProto.EXTERNAL
    assert refusal(path).code == "E_ONNX_EXTERNAL"


def image_input(model, dtype=TensorProto.UINT8, shape=("N", "H", "W", 3), name="image"):
    del model.graph.input[:]
    model.graph.input.append(helper.make_tensor_value_info(name, dtype, shape))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda m: image_input(m, shape=("N", "H", "W")), "expected 'image' uint8 [any, any, any, 3]"),
        (lambda m: image_input(m, shape=None), "of unknown rank"),
        (lambda m: image_input(m, shape=("N", "H", "W", 4)), "uint8 [any, any, any, 4]"),
        (lambda m: image_input(m, shape=("N", 64, 64, 3)), "uint8 [any, 64, 64, 3]"),
        (lambda m: image_input(m, shape=(2, "H", "W", 3)), "uint8 [2, any, any, 3]"),
        (lambda m: image_input(m, dtype=TensorProto.FLOAT), "'image' float32"),
        (lambda m: image_input(m, name="input"), "has the inputs input; expected image"),
        (lambda m: m.graph.input.append(helper.make_tensor_value_info("more", 1, [1])), "image, more; expected image"),
        (lambda m: m.graph.output.pop(), "has the outputs (none); expected image_out"),
    ],
)
def test_other_inputs_and_outputs_than_the_card_says_are_refused(make_model, edit, said):
    error = refusal(edited(make_model(), edit))
    assert error.code == "E_ONNX_IO"
    assert said in str(error)


def test_a_model_with_domains_needs_the_domain_input(make_model):
    path = make_model()
    text = read_onnx_card(make_model("other.onnx", domains=("a", "b"))).to_json()
    edited(path, lambda model: helper.set_model_props(model, {METADATA_KEY: text}))
    assert "expected domain, image" in str(refusal(path))


def test_a_fixed_graph_with_a_card_that_says_so_is_taken(make_model):
    session = OnnxSession(make_model(sizing=Sizing(rule="fixed", width=4, height=2)), threads=1)
    assert session.run(np.zeros((1, 2, 4, 3), np.uint8)).shape == (1, 2, 4, 3)


def test_weights_listed_among_the_inputs_are_not_inputs(make_model):
    def list_weight(model):
        model.graph.initializer.append(weight())
        model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4]))

    assert OnnxSession(edited(make_model(), list_weight), threads=1).card.name == "tiny"


def test_a_model_without_a_card_is_refused_with_the_remedy(make_model):
    error = refusal(edited(make_model(), lambda model: model.metadata_props.pop()))
    assert error.code == "E_ONNX_IO"
    assert "i2i export" in str(error)


def test_a_card_of_a_later_format_is_refused(make_model):
    assert refusal(make_model(text='{"format": 99, "name": "x"}')).code == "E_CKPT_NEWER"


def test_a_card_that_is_not_one_is_refused(make_model):
    assert refusal(make_model(text="{}")).code == "E_CKPT_MISMATCH"


def test_two_cards_are_refused(make_model):
    path = edited(make_model(), lambda model: model.metadata_props.add(key=METADATA_KEY, value="{}"))
    assert refusal(path).code == "E_ONNX_INVALID"


@pytest.mark.parametrize(
    "data", [b"", b"garbage", b"\xff" * 100, b"\x00" * 64, b"<html>", b"PK\x03\x04" + bytes(40), b"\x0a\x7f"]
)
def test_garbage_is_refused(tmp_path, data):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    assert refusal(path).code == "E_ONNX_INVALID"


def test_a_file_cut_at_any_length_is_refused(make_model):
    path = make_model(domains=("a", "b"))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert refusal(path).code in {"E_ONNX_INVALID", "E_ONNX_IO"}


def test_graphs_nested_without_end_are_refused_not_a_crash(tmp_path):
    def message(field, content):
        length = bytes([len(content) & 127 | 128, len(content) >> 7 & 127 | 128, len(content) >> 14])
        return bytes([field << 3 | 2]) + length + content

    graph = b""
    for _ in range(1000):
        graph = message(1, message(5, message(6, graph)))  # node, attribute, graph
    path = tmp_path / "deep.onnx"
    path.write_bytes(message(7, graph))
    assert "nested too deeply" in str(refusal(path))


def test_an_operator_that_does_not_exist_is_refused(make_model):
    error = refusal(edited(make_model(), lambda model: setattr(model.graph.node[0], "op_type", "Nonsense")))
    assert error.code == "E_ONNX_INVALID"
    assert "\n" not in str(error)


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path):
    assert refusal(tmp_path / "no.onnx").code == "E_MODEL_NOT_FOUND"
    assert refusal(tmp_path).code == "E_NOT_REGULAR"


def test_cuda_is_refused_where_onnxruntime_has_none(make_model):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(I2IError, match=r"i2i\[gpu\]"):
        OnnxSession(make_model(), provider="cuda")


def test_a_grey_model_has_one_channel(make_model):
    session = OnnxSession(make_model(source=Pixels(colour="gray"), target=Pixels(colour="gray")), threads=1)
    assert session.run(np.zeros((1, 2, 2, 1), np.uint8)).shape == (1, 2, 2, 1)
