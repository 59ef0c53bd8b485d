"""Data sets: which files belong together, what a sample is, and in which order samples come.

Contract (`source.DataSource`): a dataset scans its folder, makes samples as a function of (seed, position), gives
pictures to look at, and names its `batch_type` and its monitor.
"""

from __future__ import annotations

from i2i.tables import Table

DATASETS = Table(
    "dataset",
    {
        "paired": "i2i.data.paired_source:PairedSource",
        "unpaired": "i2i.data.unpaired_source:UnpairedSource",
        "images": "i2i.data.images_source:ImagesSource",
        "domains": "i2i.data.domains_source:DomainsSource",
        "attributes": "i2i.data.attributes_source:AttributesSource",
        "joint": "i2i.data.joint_source:JointSource",
        "fonts": "i2i.data.fonts_source:FontsSource",
    },
)
