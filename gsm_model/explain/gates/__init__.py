"""What temporal modules do: gates, and experiments on them."""
