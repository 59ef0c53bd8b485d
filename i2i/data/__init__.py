"""Data sets: which files belong together, what a sample is, and in which order samples come.

Contract (`source.DataSource`): a dataset scans its folder, makes samples as a function of (seed, position), gives
pictures to look at, and names its `batch_type` and its monitor. A folder without a word on its kind (`i2i info DIR`) is
tried in the table's order, and is the first that fits.
"""

from __future__ import annotations

from i2i.tables import Table

DATASETS = Table(
    "dataset",
    {
        "attributes": "i2i.data.attributes_source:AttributesSource",
        "paired": "i2i.data.paired_source:PairedSource",
        "unpaired": "i2i.data.unpaired_source:UnpairedSource",
        "domains": "i2i.data.domains_source:DomainsSource",
        "images": "i2i.data.images_source:ImagesSource",
        "fonts": "i2i.data.fonts_source:FontsSource",
        "joint": "i2i.data.joint_source:JointSource",
    },
)
