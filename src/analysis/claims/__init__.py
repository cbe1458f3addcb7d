"""Claim histories: which records belong to one claim, and whether every row is accounted for."""
