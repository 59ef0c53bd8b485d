"""Total variation against numbers by hand."""

from __future__ import annotations

import torch

from i2i.losses.variation import total_variation


def test_it_is_the_mean_square_of_steps_across_plus_that_of_steps_down() -> None:
    # Across: steps of 1 and -2 in one row, 0 and 0 in the other: (1 + 4 + 0 + 0) / 4; down: steps of 3, 2, 4: 29 / 3.
    planes = torch.tensor([[[[0.0, 1.0, -1.0], [3.0, 3.0, 3.0]]]], dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(total_variation(planes), torch.tensor(5 / 4 + 29 / 3, dtype=torch.float64))
    assert torch.autograd.gradcheck(total_variation, planes)


def test_a_plain_picture_has_none() -> None:
    assert float(total_variation(torch.full((2, 1, 4, 5), 0.3))) == 0.0
