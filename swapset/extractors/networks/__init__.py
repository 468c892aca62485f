"""The extractors' networks, laid out so that published weights fit."""
