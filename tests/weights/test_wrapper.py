"""The whole translator as one module, and the torch session around it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import nn

from i2i.errors import I2IError
from i2i.images.card import Condition, ImageCard, NetworkSpec, Pixels, Sizing
from i2i.weights.session import TorchSession
from i2i.weights.wrapper import Wrapped, evaluating


class Gain(nn.Module):
    """Multiplies planes by the number of the domain plus 1, or by the first attribute."""

    def forward(self, planes, condition):
        factor = condition + 1 if condition.ndim == 1 else condition[:, 0]
        return planes * factor.reshape(-1, 1, 1, 1)


class Asked(nn.Module):
    """Takes any number for a domain's, and remembers what it was asked for."""

    def forward(self, source, condition):
        self.condition = condition
        return source if source.ndim == 4 else source.reshape(-1, 1, 1, 2).repeat(1, 3, 1, 1)


class Double(nn.Module):
    """Twice as large."""

    def forward(self, planes):
        return planes.repeat_interleave(2, 2).repeat_interleave(2, 3)


class FromNoise(nn.Module):
    """A 2 x 3 grey picture of the latent's two numbers."""

    def forward(self, latent):
        return latent.reshape(-1, 1, 2, 1).repeat(1, 1, 1, 3)


class Huge(nn.Module):
    """Asks for more memory than an address can reach."""

    def forward(self, planes):
        return planes.repeat(1, 1, 2**25, 2**25)


class Broken(nn.Module):
    """Fails by itself."""

    def forward(self, planes):
        raise RuntimeError("sizes do not match")


def a_card(**changes):
    return ImageCard(name="tiny", network=NetworkSpec(type="none"), method="none", **changes)


def pictures(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def test_a_generator_that_does_nothing_gives_the_same_picture():
    image = pictures(2, 5, 7, 3)
    assert torch.equal(Wrapped(nn.Identity(), a_card(sizing=Sizing(multiple=8)))(image), image)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 2), st.integers(1, 40), st.integers(1, 40))
@example(1, 1, 1)
@example(1, 7, 200)
def test_any_size_comes_back_as_it_was(generator, card, batch, height, width):
    image = pictures(batch, height, width, 3)
    output = Wrapped(generator, card)(image)
    assert output.shape == image.shape and output.dtype == torch.uint8


def test_a_scale_multiplies_the_size():
    image = pictures(1, 3, 5, 3)
    output = Wrapped(Double(), a_card(sizing=Sizing(multiple=8), scale=2))(image)
    assert torch.equal(output, image.repeat_interleave(2, 1).repeat_interleave(2, 2))


def test_a_translation_leaves_modes_and_buffers_as_they_were(generator, card):
    generator.train()
    generator.encoder[1].eval()
    modes = [part.training for part in generator.modules()]
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    Wrapped(generator, card)(pictures(2, 9, 6, 3))
    assert [part.training for part in generator.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in generator.state_dict().items())


def test_a_translation_is_deterministic_and_independent_of_its_batch_also_in_training_mode(generator, card):
    generator.train()
    wrapped = Wrapped(generator, card)
    image = pictures(3, 9, 6, 3)
    first = wrapped(image)
    assert first.float().std() > 20  # the generator does something
    assert torch.equal(wrapped(image), first)
    # One picture alone may be summed in another order: a level where the value lies on a half.
    assert (wrapped(image[1:2]).int() - first[1:2].int()).abs().max() <= 1


def test_modes_are_restored_after_an_error(generator):
    with pytest.raises(ZeroDivisionError), evaluating(generator):
        assert not any(part.training for part in generator.modules())
        raise ZeroDivisionError
    assert all(part.training for part in generator.modules())


def test_domains_and_attributes_reach_the_generator():
    image = torch.full((2, 1, 1, 3), 10, dtype=torch.uint8)
    domains = a_card(value_range=(0.0, 1.0), condition=Condition(kind="domains", names=("a", "b", "c")))
    assert Wrapped(Gain(), domains)(image, torch.tensor([0, 2]))[:, 0, 0, 0].tolist() == [10, 30]
    weights = a_card(value_range=(0.0, 1.0), condition=Condition(kind="attributes", names=("gain", "other")))
    assert Wrapped(Gain(), weights)(image, torch.tensor([[2.0, 0.0], [0.5, 0.0]]))[:, 0, 0, 0].tolist() == [20, 5]


def test_a_generator_from_noise_takes_a_latent():
    card = a_card(value_range=(0.0, 1.0), latent=2, target=Pixels(colour="gray"))
    output = TorchSession(FromNoise(), card).run(np.array([[0.0, 1.0]], dtype=np.float32))
    assert output[0, :, :, 0].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_a_missing_or_surplus_condition_is_refused():
    image = pictures(1, 4, 4, 3)
    with pytest.raises(I2IError, match="takes no domain") as surplus:
        Wrapped(nn.Identity(), a_card())(image, torch.zeros(1, dtype=torch.int64))
    with pytest.raises(I2IError, match="needs a domain") as missing:
        Wrapped(Gain(), a_card(condition=Condition(kind="domains", names=("a",))))(image)
    assert surplus.value.code == missing.value.code == "E_CONDITION"


@pytest.mark.parametrize("shape", [(4, 4, 3), (1, 4, 4, 4), (1, 3, 4, 4)])
def test_a_wrong_shape_is_refused_with_the_shape_it_takes(shape):
    with pytest.raises(I2IError, match=r"takes uint8 \[N,H,W,C\] with 3 in the last place, got uint8") as caught:
        Wrapped(nn.Identity(), a_card())(pictures(*shape))
    assert caught.value.code == "E_SIZE"


def test_floating_point_pictures_are_refused():
    with pytest.raises(I2IError, match="got float32"):
        Wrapped(nn.Identity(), a_card())(torch.zeros(1, 4, 4, 3))


def test_the_session_takes_arrays_that_cannot_be_written_to_without_a_warning(recwarn):
    image = np.full((1, 2, 2, 3), 7, dtype=np.uint8)
    image.setflags(write=False)
    torch.set_warn_always(True)  # else torch warns once per process, perhaps in another test
    try:
        assert (TorchSession(nn.Identity(), a_card()).run(image) == 7).all()
    finally:
        torch.set_warn_always(False)
    assert not recwarn.list


def test_the_session_takes_views_in_any_memory_order():
    image = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(1, 2, 4, 3)[:, ::-1, ::-2]
    assert (TorchSession(nn.Identity(), a_card()).run(image) == image).all()


def test_the_session_passes_domains_and_attributes_on():
    image = np.full((1, 1, 1, 3), 10, dtype=np.uint8)
    card = a_card(value_range=(0.0, 1.0), condition=Condition(kind="domains", names=("a", "b")))
    assert TorchSession(Gain(), card).run(image, domain=np.array([1])).flatten().tolist() == [20, 20, 20]
    card = a_card(value_range=(0.0, 1.0), condition=Condition(kind="attributes", names=("gain",)))
    assert TorchSession(Gain(), card).run(image, condition=np.array([[3.0]], np.float32)).max() == 30


def test_running_out_of_memory_has_its_code_and_other_failures_stay_what_they_are():
    image = np.zeros((1, 4, 4, 3), dtype=np.uint8)
    with pytest.raises(I2IError, match=r"not enough memory for a picture of \[1, 4, 4, 3\]") as caught:
        TorchSession(Huge(), a_card()).run(image)
    assert caught.value.code == "E_OOM"
    with pytest.raises(RuntimeError, match="sizes do not match"):
        TorchSession(Broken(), a_card()).run(image)


@pytest.mark.parametrize("number", [-3, -1, 3, 4])
@pytest.mark.parametrize("more", [{}, {"latent": 2}], ids=["translator", "noise"])
def test_the_number_of_a_domain_that_is_not_there_fails_also_where_the_network_would_take_it(number, more):
    card = a_card(condition=Condition(kind="domains", names=("a", "b", "c")), **more)
    source = torch.zeros(2, 2) if more else pictures(2, 3, 4, 3)
    wrapped = Wrapped(Asked(), card)
    wrapped(source, torch.tensor([2, 0]))
    with pytest.raises(IndexError):
        wrapped(source, torch.tensor([0, number]))


def test_weights_of_domains_and_attributes_to_keep_reach_the_generator_as_they_are():
    image = torch.full((1, 1, 1, 3), 10, dtype=torch.uint8)
    mixture = a_card(value_range=(0.0, 1.0), condition=Condition(kind="domains", names=("a", "b"), mixed=True))
    assert Wrapped(Gain(), mixture)(image, torch.tensor([[2.5, 0.0]])).flatten().tolist() == [25] * 3
    card = a_card(condition=Condition(kind="attributes", names=("a", "b")))
    seen = Asked()
    Wrapped(seen, card)(image, torch.tensor([[torch.nan, 1.0]]))
    assert seen.condition.isnan().tolist() == [[True, False]]
