"""The table of networks. A new one is one file here and one line below.

Contract (checked by `tests/networks/test_contract.py` over every entry): keyword-only, JSON-able hyper-parameters;
`multiple` and `minimum` say which picture sizes the network takes; any other size raises `I2IError` (E_SIZE) naming one
that fits; `eval()` is deterministic; one that knows a single size has it as `size`. A generator maps planes in the
card's range to planes in -1..1. One whose constructor takes `condition_channels` is told what to make of a picture,
`forward(planes, condition)`, and a critic with them gives as many `classes`; `size_matters` is true of a generator that
does not do the same at another size than the training's. One with `latent_channels` maps noise to planes,
`forward(latent, condition=None)`: noise and condition (`layers/beside.py`) have `latent_channels` numbers together,
`more_latent` (0 where it has none) more than the `in_channels` it was made with. A discriminator returns a
`CriticOutput`; one whose score is minus an error of reconstruction has the class attribute `autoencoder`. The last
layer of any other discriminator, a convolution or linear, is its child `score`, fed by the last of its `features`:
stabilisers widen it, encoders leave it out.
"""

from i2i.tables import Table

NETWORKS = Table(
    "network",
    {
        "unet": "i2i.networks.unet:UNet",
        "resnet": "i2i.networks.resnet:ResNet",
        "patchgan": "i2i.networks.patchgan:PatchGAN",
        "pixelgan": "i2i.networks.pixelgan:PixelGAN",
        "autoencoder": "i2i.networks.autoencoder:Autoencoder",
        "mlp": "i2i.networks.mlp:MLP",
        "mlp_critic": "i2i.networks.mlp_critic:MLPCritic",
        "dcgan": "i2i.networks.dcgan:DCGAN",
        "dcgan_critic": "i2i.networks.dcgan:DCGANCritic",
        "lapgan": "i2i.networks.lapgan:LAPGAN",
        "stargan": "i2i.networks.stargan:StarGAN",
        "stargan_critic": "i2i.networks.stargan:StarGANCritic",
        "zi2zi": "i2i.networks.zi2zi:Zi2ZiGenerator",
        "zi2zi_critic": "i2i.networks.zi2zi:Zi2ZiCritic",
        "attribute_editor": "i2i.networks.attribute_editor:AttributeEditor",
        "mixture": "i2i.networks.mixture:Mixture",
    },
)
