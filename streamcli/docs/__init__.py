"""Help pages: found, searched and laid out."""
