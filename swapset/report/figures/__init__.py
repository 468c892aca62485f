"""Every picture of the report: charts, contact sheets, rows of masks."""
