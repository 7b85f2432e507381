"""Cases: what is handled, closed, written off and cleared."""
