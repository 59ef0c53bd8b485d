"""The table of methods. A new one is one file here and one line below.

Contract (`i2i/training/engine.py` plays it, `tests/methods/test_contract.py` checks it): see `method.Method`.
"""

from i2i.tables import Table

METHODS = Table(
    "method",
    {
        "pix2pix": "i2i.methods.pix2pix:Pix2Pix",
        "cyclegan": "i2i.methods.cyclegan:CycleGAN",
        "stargan": "i2i.methods.stargan:StarGAN",
        "zi2zi": "i2i.methods.zi2zi:Zi2Zi",
        "gan": "i2i.methods.gan:Gan",
        "cgan": "i2i.methods.cgan:CGAN",
        "infogan": "i2i.methods.infogan:InfoGAN",
        "semi_supervised": "i2i.methods.semi_supervised:SemiSupervised",
        "mode_regularised": "i2i.methods.mode_regularised:ModeRegularised",
        "mdgan": "i2i.methods.mdgan:MDGAN",
        "lapgan": "i2i.methods.lapgan:LaplacianPyramid",
        "adagan": "i2i.methods.adagan:AdaGAN",
    },
)
