"""A made-up massage practice's raw files, with the truth about every claim kept apart.

Writes 837P claims, 835 remittances and the practice's own records as a practice would drop
them, and, in another folder, what really happened. It shares no code with `intake`, so that
writer and reader check each other.
"""

from analysis.synthetic.practice import Synthesized, synthesize

__all__ = ["Synthesized", "synthesize"]
