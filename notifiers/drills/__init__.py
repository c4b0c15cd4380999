"""What operators have sent: fire drills, and dead letters once more."""
