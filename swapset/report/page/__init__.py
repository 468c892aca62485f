"""The report's page, with a file for each section."""
