"""The editor of attributes: what it changes, what it reads off the picture to keep, and several sets of labels."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from i2i.networks.attribute_editor import AttributeEditor, Editor
from i2i.networks.layers.critic_output import CriticOutput
from i2i.networks.layers.label_sets import LabelSet, mask, vector, width

NAN = float("nan")


class Told(nn.Module):
    """Keeps what it is told, and makes pictures one brighter."""

    def __init__(self) -> None:
        super().__init__()
        self.vectors: list[list[float]] = []

    def forward(self, planes: Tensor, numbers: Tensor) -> Tensor:
        self.vectors += numbers.tolist()
        return planes + 1


class Reader(nn.Module):
    """Reads the same logits off every picture."""

    size = 8

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = torch.tensor([logits])

    def forward(self, planes: Tensor) -> CriticOutput:
        return CriticOutput(planes.mean((1, 2, 3)), classes=self.logits.repeat(len(planes), 1))


def test_what_is_not_named_is_read_off_the_picture() -> None:
    editor = Editor(Told(), Reader(3.0, -0.1, 0.2), [LabelSet(3)])
    editor(torch.zeros(2, 1, 8, 8), torch.tensor([[NAN, 1.0, NAN], [0.0, NAN, NAN]]))
    assert editor.generator.vectors == [[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]]  # type: ignore[union-attr]


def test_differences_are_what_is_asked_for_less_what_is_read_off_the_picture() -> None:
    editor = Editor(Told(), Reader(3.0, -0.1, 0.2, -5.0), [LabelSet(4)], differences=True)
    editor(torch.zeros(2, 1, 8, 8), torch.tensor([[NAN, 1.0, 0.0, NAN], [1.0, 0.0, NAN, NAN]]))
    assert editor.generator.vectors == [[0.0, 1.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]  # type: ignore[union-attr]


def test_of_several_sets_the_mask_says_whose_differences_are_told() -> None:
    editor = Editor(Told(), Reader(1.0, -1.0, 1.0), [LabelSet(2), LabelSet(1)], differences=True)
    editor(torch.zeros(1, 1, 8, 8), torch.tensor([[NAN, 1.0, 0.0]]))
    assert editor.generator.vectors == [[0.0, 1.0, 0.0, 1.0, 0.0], [0.0, 0.0, -1.0, 0.0, 1.0]]  # type: ignore[union-attr]


def test_with_one_set_a_picture_is_made_anew_even_where_nothing_is_to_change() -> None:
    editor = Editor(Told(), Reader(-1.0), [LabelSet(1)])
    assert editor(torch.zeros(1, 1, 8, 8), torch.tensor([[NAN]])).unique().tolist() == [1.0]


def test_of_an_exclusive_set_the_likeliest_is_read() -> None:
    editor = Editor(Told(), Reader(-3.0, -1.0, -2.0, 1.0, 2.0), [LabelSet(3, exclusive=True), LabelSet(2)])
    assert editor.read(torch.zeros(1, 1, 8, 8)).tolist() == [[0.0, 1.0, 0.0, 1.0, 1.0]]


def test_of_a_group_the_likeliest_is_read_or_none() -> None:
    editor = Editor(Told(), Reader(1.0, 3.0, 2.0, 1.0), [LabelSet(4)], groups=[(1, 2)])
    assert editor.read(torch.zeros(1, 1, 8, 8)).tolist() == [[1.0, 1.0, 0.0, 1.0]]
    editor = Editor(Told(), Reader(-1.0, -3.0, -2.0, 1.0), [LabelSet(4)], groups=[(1, 2), (0, 3)])
    assert editor.read(torch.zeros(1, 1, 8, 8)).tolist() == [[0.0, 0.0, 0.0, 1.0]]


def test_of_several_sets_each_is_changed_by_itself_and_only_where_it_is_named() -> None:
    editor = Editor(Told(), Reader(1.0, -1.0, 1.0), [LabelSet(2), LabelSet(1)])
    asked = torch.tensor([[NAN, 1.0, NAN], [NAN, NAN, 0.0], [0.0, NAN, 1.0], [NAN, NAN, NAN]])
    made = editor(torch.zeros(4, 1, 8, 8), asked)
    assert made[:, 0, 0, 0].tolist() == [1.0, 1.0, 2.0, 0.0]
    # Labels of the first set, of the second, and the mask.
    told: Any = editor.generator.vectors
    assert told[0] == [1.0, 1.0, 0.0, 1.0, 0.0]
    assert told[2] == [0.0, 0.0, 0.0, 1.0, 0.0]
    assert told[4 + 1] == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert told[4 + 2] == [0.0, 0.0, 1.0, 0.0, 1.0]


def test_the_vector_has_zeros_for_the_labels_of_other_sets_and_the_mask_behind() -> None:
    sets = [LabelSet(2), LabelSet(3, exclusive=True)]
    labels = torch.tensor([[1.0, 0.0, NAN, NAN, NAN], [NAN, NAN, 0.0, 1.0, 0.0]])
    assert mask(labels, sets).tolist() == [[True, False], [False, True]]
    expected = [[1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0]]
    assert vector(labels, sets).tolist() == expected
    assert width(sets) == 7
    # One set is told as it is.
    assert vector(labels[:1, :2], sets[:1]).tolist() == [[1.0, 0.0]]
    assert width(sets[:1]) == 2


def test_labels_that_are_not_counted_right_are_refused() -> None:
    networks = {"generator": {"type": "stargan", "channels": 2}, "reader": {"type": "stargan_critic", "channels": 2}}
    with pytest.raises(ValueError, match="are not 4 labels together"):
        AttributeEditor(**networks, condition_channels=4, label_sets=((2, False), (3, True)))
    with pytest.raises(ValueError, match="unexpected keyword argument 'chanels'"):
        AttributeEditor(generator={"type": "stargan", "chanels": 2}, reader=networks["reader"])
