"""What was deleted and may still stand in files, and how reads leave it out."""
