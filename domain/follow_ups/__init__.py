"""Follow-up (回头看, clause N26): who asks whom whether the money arrived."""
