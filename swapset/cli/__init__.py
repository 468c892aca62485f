"""The `swapset` command, with a file for each sub-command."""
