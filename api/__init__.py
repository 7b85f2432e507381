"""The doors: REST, console and command line, all to the same platform."""
