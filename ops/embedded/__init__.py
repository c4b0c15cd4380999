"""`tocsin up`: the log and every stage in one process, one file a part."""
