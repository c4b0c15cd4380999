"""The functions, values and queries of Prometheus's templates, on schemas.templates."""
