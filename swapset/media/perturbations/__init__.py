"""Perturbations of whole frames, as videos meet them between camera and detector."""
