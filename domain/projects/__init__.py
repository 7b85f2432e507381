"""Construction projects (工程项目): their parties, their funding, their five safeguards, and whether every one of them is known."""
