"""Models measured and looked at: metrics over a split, sample grids, baselines, pages.

The table names what is looked at during training; a dataset says which by its `monitor`, unless its
pictures are translated and not made from noise, which is `conditioned`. A new one is one file here and
one line below.
"""

from i2i.tables import Table

MONITORS = Table(
    "monitor",
    {
        "paired": "i2i.evaluation.monitor:PairedMonitor",
        "unpaired": "i2i.evaluation.unpaired:UnpairedMonitor",
        "conditioned": "i2i.evaluation.conditioned:ConditionedMonitor",
        "styled": "i2i.evaluation.styled:StyledMonitor",
        "samples": "i2i.evaluation.samples:SampleMonitor",
    },
)
