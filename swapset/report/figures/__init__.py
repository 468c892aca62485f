"""All pictures of the report: charts, contact sheets, rows of masks."""
