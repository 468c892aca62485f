"""The detectors' backbones, laid out so that published weights fit."""
