"""What a build will cost, from what jobs of finished builds took."""
