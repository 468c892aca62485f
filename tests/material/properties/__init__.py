"""Tests of each property of a picture, by its row in `swapset.media.properties`."""
