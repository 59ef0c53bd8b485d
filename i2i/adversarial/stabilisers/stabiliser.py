"""What a stabiliser is: hooks around the two players' turns, all of which do nothing by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from torch import Tensor, nn

from i2i.adversarial.objectives.objective import Judged, Objective

if TYPE_CHECKING:
    from i2i.adversarial.duel import Duel

Player = Literal["discriminator", "generator"]


class Stabiliser(nn.Module):
    """Base class; a stabiliser overrides the hooks it needs. State that must survive a resume lives in buffers.

    Images are (N, C, H, W) in the card's range; condition planes have their size, or are None. Losses are weighted
    scalars, named `d_...` or `g_...` as in the log.
    """

    # How many images the discriminator sees in one, as planes behind each other.
    packed: int = 1
    # Whether `generator_penalty` looks at the real batch as the discriminator judges it.
    sees_real: ClassVar[bool] = False
    # Whether `generator_penalty` takes the place of the objective's own loss for the generator.
    replaces_adversarial: bool = False

    # -- when the duel is made -------------------------------------------------------------------------------------

    def refusal(self, discriminator: nn.Module, objective: Objective) -> str | None:
        """Why this stabiliser makes no sense with them, with the remedy; None when it does."""
        return None

    def discriminator_network(self, network: nn.Module) -> nn.Module:
        """Change the discriminator's layers, or wrap it; the result is the network that learns."""
        return network

    # -- both turns ------------------------------------------------------------------------------------------------

    def discriminator_input(self, image: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Change what the discriminator sees: the image to judge and the condition planes beside it, if any.

        Called for real and for fake images, in both players' turns; must be differentiable in `image`.
        """
        return image, condition

    def parameter_penalty(self, player: Player, network: nn.Module) -> dict[str, Tensor]:
        """Losses on the weights of the player whose turn it is."""
        return {}

    # -- the discriminator's turn ----------------------------------------------------------------------------------

    def discriminator_fake(self, fake: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Exchange the (detached) fake images that the discriminator learns from, with their condition."""
        return fake, condition

    def discriminator_penalty(
        self,
        duel: Duel,
        real: Tensor,
        fake: Tensor,
        condition: Tensor | None,
    ) -> dict[str, Tensor]:
        """Further losses of the discriminator. `fake` is detached; runs in float32."""
        return {}

    def after_discriminator_step(self, discriminator: nn.Module) -> None:
        """Called after every step of the discriminator's optimiser."""

    # -- the generator's turn --------------------------------------------------------------------------------------

    def generator_plays(self, turns: int) -> bool:
        """Whether the generator has a turn after the discriminator's turn number `turns`, counted from 1."""
        return True

    def generator_weights(
        self,
        duel: Duel,
        real: Tensor,
        fake: Tensor,
        condition: Tensor | None,
    ) -> dict[str, Tensor]:
        """Weights (by their names in the discriminator) that the generator plays against instead of the present ones.

        They may depend on `fake`, and so on the generator. Runs in float32.
        """
        return {}

    def generator_penalty(self, fake: Judged, *, real: Judged | None) -> dict[str, Tensor]:
        """Further losses of the generator; `real` is given when `sees_real`."""
        return {}

    def after_generator_step(self, generator: nn.Module) -> None:
        """Called after every step of the generator's optimiser."""
