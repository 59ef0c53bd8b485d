"""What is measured, one file per metric; `metric` holds the contract and `suite` runs several at once."""

from __future__ import annotations

from i2i.tables import Table

METRICS = Table(
    "metric",
    {
        "psnr": "i2i.metrics.psnr:Psnr",
        "ssim": "i2i.metrics.ssim:Ssim",
        "l1": "i2i.metrics.l1:L1",
        "ink_iou": "i2i.metrics.ink_iou:InkIoU",
        "gradient": "i2i.metrics.gradient:Gradient",
        "spectrum": "i2i.metrics.spectrum:Spectrum",
        "checkerboard": "i2i.metrics.checkerboard:Checkerboard",
        "kid": "i2i.metrics.kid:Kid",
        "fid": "i2i.metrics.fid:Fid",
        "top1": "i2i.metrics.retrieval:Top1",
        "top5": "i2i.metrics.retrieval:Top5",
        "accuracy": "i2i.metrics.accuracy:Accuracy",
        "mean_iou": "i2i.metrics.mean_iou:MeanIoU",
    },
)
