"""Who is on call, when: schedules of rotations, layers and overrides."""
