"""Code tables as CSV: codes, groups and labels in our own words, with sources and dates."""
