"""Makes annotated case reports from the dictionaries; training/generate.py is its command line."""
