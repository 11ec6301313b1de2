"""2D networks that temporal modules stand in, one file each."""
