"""What single channels carry: of what is in the pictures, and of the order they come in."""
