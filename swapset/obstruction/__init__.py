"""Adversarial noise against landmark extraction, and measures of its effect."""
