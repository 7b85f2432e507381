"""Orders (责令/文书): what the office orders somebody to do, how it was served, and whether it was done."""
