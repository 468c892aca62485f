"""Detection: faces of all videos, splits, fitting, scores, AUCs; `swapset detect`."""
