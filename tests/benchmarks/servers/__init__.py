"""What benchmarks are measured beside, where it serves from a process of its own."""
