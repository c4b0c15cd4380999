"""Function families, one file each; `registry` lists what the planner may call."""
