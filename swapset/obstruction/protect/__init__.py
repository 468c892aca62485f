"""`swapset protect`: noise against landmark extraction on any video or picture."""
