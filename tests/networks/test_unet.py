"""The U-Net of the pix2pix paper: sizes, skips, noise, upsampling."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from i2i.errors import I2IError
from i2i.networks.unet import UNet


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(("depth", "parameters"), [(8, 54_413_955), (7, 41_828_995)])
def test_the_papers_widths_have_the_known_number_of_parameters(depth: int, parameters: int) -> None:
    with torch.device("meta"):
        assert count(UNet(depth=depth)) == parameters


def test_biases_stand_only_beside_instance_norm_and_in_the_last_layer() -> None:
    batch, instance = UNet(channels=4, depth=3), UNet(channels=4, depth=3, norm="instance")
    biased = [
        n for n, m in batch.named_modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d) and m.bias is not None
    ]
    assert biased == ["decoder.2.1"]
    assert all(m.bias is not None for m in instance.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))


def test_the_first_three_decoder_layers_drop_out_half() -> None:
    noisy = [any(isinstance(part, nn.Dropout) for part in up) for up in UNet(channels=4, depth=8).decoder]
    assert noisy == [True] * 3 + [False] * 5


def test_training_is_noisy_and_evaluation_is_not() -> None:
    network = UNet(channels=4, depth=3)
    picture = torch.randn(2, 3, 16, 16)
    assert not torch.equal(network(picture), network(picture))
    network.eval()
    assert torch.equal(network(picture), network(picture))


def test_with_skips_the_output_sees_detail_that_the_bottleneck_cannot_hold() -> None:
    # One pixel changes; through a bottleneck of 1x1 the change is spread over the picture, a skip keeps it in place.
    def spread(skips: bool) -> float:
        torch.manual_seed(0)
        network = UNet(channels=4, depth=4, skips=skips, norm="none").eval()
        for parameter in network.parameters():
            nn.init.normal_(parameter, 0, 0.3)
        picture = torch.zeros(1, 3, 16, 16)
        changed = picture.clone()
        changed[..., 4, 4] = 1
        with torch.no_grad():
            change = (network(changed) - network(picture)).abs().sum(1)[0]
        return float(change[2:7, 2:7].sum() / change.sum())

    assert spread(skips=True) > spread(skips=False)


def test_without_skips_the_decoder_is_narrower() -> None:
    assert count(UNet(channels=4, depth=4, skips=False)) < count(UNet(channels=4, depth=4))


def test_one_picture_of_the_smallest_size_can_be_trained_on() -> None:
    network = UNet(channels=4, depth=4)
    network(torch.randn(1, 3, 16, 16)).sum().backward()


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_a_resize_convolution_cannot_paint_a_checkerboard_from_a_flat_picture(upsampling: str) -> None:
    torch.manual_seed(1)
    network = UNet(channels=4, depth=3, upsampling=upsampling, norm="none").eval()  # type: ignore[arg-type]
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0, 0.2)
    with torch.no_grad():
        inner = network(torch.full((1, 3, 64, 64), 0.5))[0, :, 24:40, 24:40]
    flat = bool((inner - inner.mean((1, 2), keepdim=True)).abs().max() < 1e-5)
    assert flat == (upsampling == "resize")


def test_a_wrong_size_names_the_next_that_fits() -> None:
    with pytest.raises(I2IError, match="multiples of 8, at least 8; got 20x9, the next that fits is 24x16"):
        UNet(channels=4, depth=3)(torch.zeros(1, 3, 9, 20))


def test_planes_of_the_full_size_see_every_pixel_of_the_input() -> None:
    # All else is cut off: the two convolutions beside the input can give it back, signs and all.
    torch.manual_seed(0)
    network = UNet(channels=4, depth=2, norm="none", upsampling="resize", full_size_channels=6).eval()
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    assert network.full_size is not None
    with torch.no_grad():
        network.full_size[0].weight[range(6), range(6), 1, 1] = 1
        network.full_size[0].weight[range(3, 6), range(3), 1, 1] = -1  # the negative part by itself
        network.full_size[3].weight[range(3), range(3), 1, 1] = 1
        network.full_size[3].weight[range(3), range(3, 6), 1, 1] = -1
        picture = torch.rand(1, 3, 8, 8) * 2 - 1
        torch.testing.assert_close(network(picture), torch.tanh(picture))


def test_planes_of_the_full_size_are_counted() -> None:
    plain, fuller = (UNet(channels=4, depth=2, norm="none", full_size_channels=number) for number in (0, 6))
    last = 8 * 3 * 16 + 3
    assert count(fuller) - count(plain) == (8 * 6 * 16 + 6) + ((3 + 6) * 6 * 9 + 6) + (6 * 3 * 9 + 3) - last
