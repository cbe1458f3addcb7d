"""What leaves a practice: one gate, an attacker who tries it, a ledger, a release to check.

Everything public is computed from the published counts alone, so that anyone can compute it again.
"""
