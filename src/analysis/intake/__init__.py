"""From the practice's folder to the first tables: what the files say, and nothing that names."""
