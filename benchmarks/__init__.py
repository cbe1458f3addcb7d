"""What the program costs, measured against floors and peers."""
