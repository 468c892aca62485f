"""`swapset protect`: noise against landmark extraction on anybody's videos and pictures."""
