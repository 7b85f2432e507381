"""The command line: verbs over the platform, tables for people, data for machines, one table of exit codes."""

PROGRAM = "qingling"
"""What the program is called on its own command line."""
