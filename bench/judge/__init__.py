"""What theory says, what a number is worth, and whether to believe it."""
