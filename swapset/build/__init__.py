"""Facts about a build and a plan for each stage: all that the Snakefile knows. Light to import."""
