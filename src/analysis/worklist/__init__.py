"""The practice's worklist: which claims to appeal, correct or complete, and by when.

Private files only: they name claims, so they never lie in a report folder.
"""
