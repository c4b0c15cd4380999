"""Why somebody was paged, or was not: from the router's state, and from history."""
