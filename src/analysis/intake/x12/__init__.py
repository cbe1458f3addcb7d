"""X12 files: their envelopes, what is read from them, and the gate that sets records aside."""
