"""The report's page: one file for each section."""
