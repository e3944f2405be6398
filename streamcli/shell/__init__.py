"""What a person or a script meets: lines in, replies out."""
