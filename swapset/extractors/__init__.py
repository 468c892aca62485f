"""Heat-map networks that find facial landmarks, and their training."""
