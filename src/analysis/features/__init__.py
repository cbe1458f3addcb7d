"""A claim as it was known on the day it was first submitted: its documents and its features."""
