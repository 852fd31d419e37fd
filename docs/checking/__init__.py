"""What docs/check.py is made of: one kind of claim a module."""
