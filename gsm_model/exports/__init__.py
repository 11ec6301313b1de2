"""What a download consists of, and where it comes from."""
