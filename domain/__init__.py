"""The pure core: words, events, aggregates, rules. No input or output, no clock, no database in here."""
