"""How `pretrained/faces-attributes` comes about: see `train_pretrained.py`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from command import markdown
from runs import python
from shipped_targets import examples, scores

PRESET = "stargan"
STEP = None
METRICS = ("accuracy", "real_accuracy", "kept", "kid", "cycle_psnr")
TRUTH = ("inside", "input", "gain", "outside")


def build(data: Path) -> None:
    """Draw the training set."""
    python("tools/faces.py", str(data))


def measured(folder: Path, data: Path) -> dict[str, Any]:
    """Every metric of the attributes switched, and how near the true faces they come."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "truth.json")
        python("tools/face_truth.py", str(folder), str(data), "--json", str(file))
        return scores(folder, data) | {"truth": json.loads(file.read_text())}


def picture(out: Path, data: Path) -> None:
    """examples.png: a face, and each attribute switched by model.onnx."""
    examples(out, data, rows=6)


def page(card: Any, metrics: dict[str, Any]) -> str:
    """What the model is and how good, as Markdown."""
    return f"""
One generator that changes what is asked for in a drawn face and keeps the rest: StarGAN (Choi et al. 2018) at 64 px,
with conditional instance norms, told what is to change (STGAN, Liu et al. 2019), {card.step:,} steps of batch 8: 84
minutes of a busy core that computes in bf16. Attributes that are not set are read off the picture by the critic's
classifier, inside the graph. It has seen avataaars and nothing else, all of one size in one place: photographs mean
nothing to it, and faces that stand elsewhere little.

![a face, and each attribute switched](examples.png)

```
i2i convert {card.name} FACES changed --set smile=1 --set glasses=0
i2i convert {card.name} face.png red.png --set red_hair=1
```

On {metrics["n"]} faces that training has not seen, each attribute switched (a colour of hair: set):

{markdown(metrics["attributes"], METRICS)}

accuracy: read by a classifier as asked for, beside its accuracy on real faces; kept: the other attributes read as they
were; kid with EfficientNet-Lite0 features; cycle_psnr: there and back, dB. Printed by `i2i evaluate {card.name} --data
runs/faces-attributes-data --metrics all`. Beside what the same faces truly become (dB; outside: mean change in 0..1):

{markdown(metrics["truth"], TRUTH)}

inside: PSNR over the pixels that truly change and those within 2 px; input: the same of the untouched face; outside:
how much all other pixels change. Printed by `python tools/face_truth.py {card.name} runs/faces-attributes-data`.
"""
