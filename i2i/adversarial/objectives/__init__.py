"""The table of objectives. A new one is one file here and one line below.

Contract (`objective.Objective`, checked over every entry): real scores high, everything is minimised, finite and
differentiable for scores of any size.
"""

from i2i.tables import Table

OBJECTIVES = Table(
    "objective",
    {
        "non_saturating": "i2i.adversarial.objectives.non_saturating:NonSaturating",
        "least_squares": "i2i.adversarial.objectives.least_squares:LeastSquares",
    },
)
