"""The facts of a build and a plan for each stage, for the Snakefile. Imports nothing heavy."""
