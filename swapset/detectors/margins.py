"""Sides of the regions that detectors see, in sides of the face's box.

Apart from the registry, so that a new detector does not make the jobs run again that find faces.
"""

MARGIN = 2.0
"""Side for most detectors."""
WIDE = 3.0
"""Side for those with DeepfakeBench's crop, which reaches 2.75 for a face turned by 30 degrees."""
