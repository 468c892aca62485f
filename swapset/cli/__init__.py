"""The `swapset` command: a file for each sub-command."""
