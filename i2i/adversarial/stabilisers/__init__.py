"""The table of stabilisers. A new one is one file here and one line below.

Contract (`stabiliser.Stabiliser`, checked over every entry): each fills one or more of the base class's hooks, which do
nothing by default, and the duel calls them all.
"""

from i2i.tables import Table

STABILISERS = Table(
    "stabiliser",
    {
        "diffaugment": "i2i.adversarial.stabilisers.diffaugment:DiffAugment",
        "weight_clipping": "i2i.adversarial.stabilisers.weight_clipping:WeightClipping",
        "gradient_penalty": "i2i.adversarial.stabilisers.gradient_penalty:GradientPenalty",
        "dragan": "i2i.adversarial.stabilisers.dragan:Dragan",
        "r1": "i2i.adversarial.stabilisers.r1:R1",
        "r2": "i2i.adversarial.stabilisers.r2:R2",
        "spectral_norm": "i2i.adversarial.stabilisers.spectral_norm:SpectralNorm",
        "weight_norm": "i2i.adversarial.stabilisers.weight_norm:WeightNorm",
        "critic_steps": "i2i.adversarial.stabilisers.critic_steps:CriticSteps",
        "history_pool": "i2i.adversarial.stabilisers.history_pool:HistoryPool",
        "packing": "i2i.adversarial.stabilisers.packing:Packing",
        "minibatch_discrimination": "i2i.adversarial.stabilisers.minibatch_discrimination:MinibatchDiscrimination",
        "minibatch_stddev": "i2i.adversarial.stabilisers.minibatch_stddev:MinibatchStddev",
        "instance_noise": "i2i.adversarial.stabilisers.instance_noise:InstanceNoise",
        "layer_noise": "i2i.adversarial.stabilisers.layer_noise:LayerNoise",
        "virtual_batch_norm": "i2i.adversarial.stabilisers.virtual_batch_norm:VirtualBatchNormalisation",
        "feature_matching": "i2i.adversarial.stabilisers.feature_matching:FeatureMatching",
        "historical_averaging": "i2i.adversarial.stabilisers.historical_averaging:HistoricalAveraging",
        "unrolled": "i2i.adversarial.stabilisers.unrolled:Unrolled",
    },
)
