"""The comparison that the README shows, and before and after of a change; see README.md here."""
