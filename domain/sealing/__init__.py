"""Personal data, sealed before it is hashed: what an event holds instead of a name, and how the name is had back."""
