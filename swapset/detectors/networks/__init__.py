"""The detectors' networks, laid out so that published weights fit."""
