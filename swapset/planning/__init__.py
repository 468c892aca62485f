"""Estimate the cost of a build from measurements of finished builds."""
