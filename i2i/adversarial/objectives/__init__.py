"""The table of objectives. A new one is one file here and one line below.

Contract (`objective.Objective`, checked over every entry): real scores high, everything is minimised, finite and
differentiable for scores of any size.
"""

from i2i.tables import Table

OBJECTIVES = Table(
    "objective",
    {
        "minimax": "i2i.adversarial.objectives.minimax:Minimax",
        "non_saturating": "i2i.adversarial.objectives.non_saturating:NonSaturating",
        "least_squares": "i2i.adversarial.objectives.least_squares:LeastSquares",
        "wasserstein": "i2i.adversarial.objectives.wasserstein:Wasserstein",
        "hinge": "i2i.adversarial.objectives.hinge:Hinge",
        "relativistic_average": "i2i.adversarial.objectives.relativistic_average:RelativisticAverage",
        "loss_sensitive": "i2i.adversarial.objectives.loss_sensitive:LossSensitive",
        "began": "i2i.adversarial.objectives.began:Began",
    },
)
