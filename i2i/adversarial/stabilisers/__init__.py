"""The table of stabilisers. A new one is one file here and one line below.

Contract (`stabiliser.Stabiliser`, checked over every entry): each fills one or more of the base class's hooks, which do
nothing by default, and the duel calls them all.
"""

from i2i.tables import Table

STABILISERS = Table("stabiliser", {"diffaugment": "i2i.adversarial.stabilisers.diffaugment:DiffAugment"})
