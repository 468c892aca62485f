"""Detection: faces of all videos, who is tested, fitting, scores, AUCs; `swapset detect`."""
