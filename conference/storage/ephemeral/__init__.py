"""What may be forgotten with a restart: rates and presence, in memory or in Redis."""
