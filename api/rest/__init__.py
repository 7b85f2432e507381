"""REST, version 1: reads. Every answer bears the log it comes from and the position it is true at; errors are problem documents."""
