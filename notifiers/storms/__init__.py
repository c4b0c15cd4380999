"""Storms: rate limits with digests, dependencies between services, and flap damping."""
