"""What is kept in memory."""
