"""Adversarial noise on landmark extraction, and what it does."""
