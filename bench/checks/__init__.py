"""What proves the bench itself."""
